"""Token states to one vector a window. Training and serving must call the same heads; only how tokens lie differs."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch

#: Takes the states of tokens, returns [windows, 2 * width]: of each window the mean, then the maximum.
Pool = Callable[[torch.Tensor], torch.Tensor]


def pooled(states: Sequence[torch.Tensor], layers: Sequence[int], pool: Pool) -> torch.Tensor:
    """Return what `pool` makes of the layers, beside each other: [windows, len(layers) * 2 * width]."""
    return torch.cat([pool(states[layer]) for layer in layers], dim=1)


def padded_pooling(mask: torch.Tensor) -> Pool:
    """Pool states [windows, tokens, width], where `mask` [windows, tokens] is not 0."""
    keep = mask.unsqueeze(-1).bool()
    count = mask.sum(dim=1, keepdim=True)

    def pool(states: torch.Tensor) -> torch.Tensor:
        mean = states.masked_fill(~keep, 0.0).sum(dim=1) / count.to(states.dtype)
        return torch.cat([mean, states.masked_fill(~keep, float("-inf")).amax(dim=1)], dim=1)

    return pool


def packed_pooling(sizes: torch.Tensor) -> Pool:
    """Pool states [tokens, width] of windows that lie one after another, of `sizes` [windows] tokens; in fp32."""
    window = torch.arange(len(sizes)).repeat_interleave(sizes)

    def pool(states: torch.Tensor) -> torch.Tensor:
        states = states.float()
        shape = len(sizes), states.shape[1]
        mean = states.new_zeros(shape).index_add_(0, window, states) / sizes[:, None]
        lowest = states.new_full(shape, float("-inf"))
        return torch.cat([mean, lowest.scatter_reduce_(0, window[:, None].expand_as(states), states, "amax")], dim=1)

    return pool
