"""What comes into the linear layers of a model: what eight bits are laid over. Measured once, when a model is made."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import torch
from safetensors.torch import load, save


class Range(NamedTuple):
    """Of each input of a linear layer, over the tokens of many texts: lowest, highest and mean; each [inputs]."""

    low: torch.Tensor
    high: torch.Tensor
    mean: torch.Tensor


#: By the names of `GuardNet.reading_tokens`.
Ranges = Mapping[str, Range]


def to_bytes(ranges: Ranges) -> bytes:
    """Return a safetensors file of [3, inputs] for each layer."""
    return save({name: torch.stack(list(own)) for name, own in sorted(ranges.items())})


def from_bytes(data: bytes, inputs: Mapping[str, int]) -> Ranges:
    """Return what `to_bytes` wrote of the layers that have so many `inputs`.

    Raise SafetensorError when it is no such file, and ValueError when it is of other layers.
    """
    found = load(data)
    if {name: own.shape for name, own in found.items()} != {name: (3, count) for name, count in inputs.items()}:
        raise ValueError("the ranges are of other layers")
    if not all(own.isfinite().all() for own in found.values()):
        raise ValueError("a range has no end")
    return {name: Range(*own.unbind()) for name, own in found.items()}
