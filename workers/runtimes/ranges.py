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


#: By the name of the layer in `GuardNet`; queries stand for keys and values, too, which read the same.
Ranges = Mapping[str, Range]


def to_bytes(ranges: Ranges) -> bytes:
    """Return a safetensors file of [3, inputs] for each layer."""
    return save({name: torch.stack(list(own)) for name, own in sorted(ranges.items())})


def from_bytes(data: bytes) -> Ranges:
    """Return what `to_bytes` wrote. Raise SafetensorError or ValueError when it is no such file."""
    return {name: Range(*own.unbind()) for name, own in load(data).items()}
