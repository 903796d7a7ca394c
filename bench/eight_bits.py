"""Where eight bits move the scores: each part of the shipped model rounded by itself, everything else in plain fp32.

    python -m bench.eight_bits --data ../shared/data/traffic_replay.jsonl.gz

Prints how far calibrated scores of the texts' windows lie from those of plain fp32: the furthest, and the mean. Inputs
are rounded over a range for each row, for each input, or one for the layer; the last two are those of the model folder.
Nothing is timed: `bench.runtimes` does that.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np
import torch
from torch import nn

from bench.app import ROOT
from bench.guard_engine import read_texts
from bench.runtimes import calibrated, reference, windows_of
from workers.model import DEFAULT_FOLDER
from workers.runtimes.folders import load_net
from workers.runtimes.int8 import GELU_LOW, WIDE
from workers.runtimes.net import GuardNet, padded
from workers.runtimes.ranges import Range

INPUTS = {
    "queries, keys and values": ("attention.self.query", "attention.self.key", "attention.self.value"),
    "attention's output": ("attention.output.dense",),
    "the way up": ("intermediate.dense",),
    "the way down": ("output.dense",),
}
#: Returns an input [..., inputs] as eight bits have it.
Round = Callable[[torch.Tensor], torch.Tensor]


def over_rows(known: Range) -> Round:
    def rounded(x: torch.Tensor) -> torch.Tensor:
        size = x.abs().amax(dim=-1, keepdim=True).clamp_min(1e-12) / 127
        return (x / size).round() * size

    return rounded


def over_inputs(known: Range) -> Round:
    return over(known.low, known.high)


def over_all(known: Range) -> Round:
    low = known.low.amin()
    return over(low, known.high.amax())


def without_the_widest(known: Range) -> Round:
    order = known.high.argsort(descending=True)
    rounded = over(torch.tensor(GELU_LOW), known.high[order[WIDE]])
    kept = torch.zeros(len(order), dtype=torch.bool).index_fill(0, order[:WIDE], True)
    return lambda x: torch.where(kept, x, rounded(x))


def over(low: torch.Tensor, high: torch.Tensor) -> Round:
    size = (high - low).clamp_min(1e-6) / 255
    return lambda x: ((x - low) / size).round().clamp(0, 255) * size + low


WAYS: dict[str, Callable[[Range], Round]] = {
    "a range for each row": over_rows,
    "a range for each input": over_inputs,
    "one range": over_all,
}


def variants() -> Iterator[tuple[str, GuardNet]]:
    """Yield what is rounded, and the net that rounds it."""
    net = load_net(DEFAULT_FOLDER)[1]
    for module in net.encoder.modules():
        if isinstance(module, nn.Linear):
            size = module.weight.detach().abs().amax(dim=1, keepdim=True) / 127
            module.weight = nn.Parameter((module.weight.detach() / size).round() * size)
    yield "all weights: a scale for each output", net
    for part, names in INPUTS.items():
        for way, make in WAYS.items():
            yield f"{part}: {way}", rounding(names, make)
    yield f"the way down: one range, without the {WIDE} widest", rounding(INPUTS["the way down"], without_the_widest)


def rounding(names: Sequence[str], make: Callable[[Range], Round]) -> GuardNet:
    net = load_net(DEFAULT_FOLDER)[1]
    for i, layer in enumerate(net.encoder.layers):
        rounded = make(net.ranges[f"encoder.encoder.layer.{i}.{names[0]}"])
        for name in names:
            layer.get_submodule(name).register_forward_pre_hook(lambda _, given, rounded=rounded: rounded(given[0]))
    return net


@torch.inference_mode()
def scores(net: GuardNet, rows: Sequence[np.ndarray]) -> np.ndarray:
    return calibrated(np.concatenate([net(*padded([row.tolist()])).logits.numpy() for row in rows]))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--count", type=int, default=256, help="texts")
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--out", type=Path, default=ROOT / "bench" / "results" / "eight_bits.json")
    options = parser.parse_args()
    rows = windows_of(read_texts(options.data, options.count, options.seed).texts)
    expected = reference(rows)
    found = {}
    for name, net in variants():
        away = np.abs(scores(net, rows) - expected)
        found[name] = {"furthest": float(away.max()), "mean": float(away.mean())}
        print(f"{name:60} {away.max():6.3f} {away.mean():8.5f}", flush=True)
    options.out.parent.mkdir(parents=True, exist_ok=True)
    options.out.write_text(json.dumps({"windows": len(rows), "away": found}, indent=1) + "\n")
    print(f"raw figures: {options.out}")


if __name__ == "__main__":
    main()
