"""Measure what comes into a model's linear layers, so that workers can read in eight bits."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from functools import partial
from pathlib import Path

import numpy as np
import torch
from torch import nn

from feedback.training.joint.writer import write_config, write_whole
from workers.runtimes.encoder import load_tokenizer
from workers.runtimes.folders import RANGES, load_joint
from workers.runtimes.joint import JointConfig
from workers.runtimes.net import GuardNet, padded
from workers.runtimes.ranges import Range, Ranges, to_bytes

#: Texts to measure with.
SAMPLE = 4_000


def add_ranges(folder: Path, texts: Sequence[str], *, seed: int) -> JointConfig:
    """Measure with a sample of `texts`, and write the ranges into the model folder; return its new config."""
    config, net = load_joint(folder)
    chosen = np.random.default_rng(seed).permutation(len(texts))[:SAMPLE]
    windows = load_tokenizer().windows([texts[i] for i in chosen], size=config.window, overlap=config.overlap)
    data = to_bytes(measure(net, [window.ids for window in windows]))
    config = config.model_copy(update={"ranges_sha256": hashlib.sha256(data).hexdigest()})
    write_whole(folder / RANGES, data)
    write_config(folder, config)
    return config


@torch.inference_mode()
def measure(net: GuardNet, rows: Sequence[Sequence[int]]) -> Ranges:
    """Return the ranges of every layer that reads tokens, over windows of word pieces, in the plain pass."""
    seen: dict[str, _Seen] = {}
    hooks = []
    for name, linear in net.reading_tokens():
        seen[name] = _Seen(linear.in_features)
        hooks.append(linear.register_forward_pre_hook(partial(_note, seen[name])))
    try:
        for row in rows:
            net(*padded([row]))
    finally:
        for hook in hooks:
            hook.remove()
    return {name: one.range() for name, one in seen.items()}


class _Seen:
    def __init__(self, width: int) -> None:
        self.low = torch.full((width,), float("inf"))
        self.high = torch.full((width,), float("-inf"))
        self.total = torch.zeros(width, dtype=torch.float64)
        self.count = 0

    def add(self, x: torch.Tensor) -> None:
        x = x.flatten(0, -2)
        self.low = torch.minimum(self.low, x.amin(dim=0))
        self.high = torch.maximum(self.high, x.amax(dim=0))
        self.total += x.sum(dim=0, dtype=torch.float64)
        self.count += len(x)

    def range(self) -> Range:
        return Range(self.low, self.high, (self.total / self.count).float())


def _note(seen: _Seen, _module: nn.Module, inputs: tuple[torch.Tensor, ...]) -> None:
    seen.add(inputs[0])
