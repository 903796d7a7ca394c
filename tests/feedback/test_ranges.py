"""What comes into each layer is measured as it comes, over all texts together."""

from __future__ import annotations

import torch

from feedback.training.ranges import measure
from workers.model import DEFAULT_FOLDER
from workers.runtimes.folders import load_net
from workers.runtimes.net import padded

ROWS = [[101, 2023, 2003, 102], [101, 1037, 3231, 1997, 5573, 102]]


def test_ranges_are_those_of_all_tokens_of_all_windows() -> None:
    net = load_net(DEFAULT_FOLDER)[1]
    found = measure(net, ROWS)
    assert len(found) == 6 * 4 + 1
    states = []
    with torch.inference_mode():
        for row in ROWS:
            ids, _ = padded([row])
            positions = torch.arange(ids.shape[1])
            states.append(net.encoder(ids, positions, lambda q, k, v: v)[0][0])
    together = torch.cat(states)
    first = found["encoder.encoder.layer.0.attention.self.query"]
    torch.testing.assert_close(first.low, together.amin(dim=0))
    torch.testing.assert_close(first.high, together.amax(dim=0))
    torch.testing.assert_close(first.mean, together.mean(dim=0))
    assert not any(module._forward_pre_hooks for module in net.modules())


def test_the_shipped_model_has_the_range_of_every_layer() -> None:
    net = load_net(DEFAULT_FOLDER)[1]
    measured = measure(net, ROWS)
    assert net.ranges.keys() == measured.keys()
    assert all(bool((own.low <= own.mean).all() and (own.mean <= own.high).all()) for own in net.ranges.values())
