"""Token states to one vector a window. Training and serving must call the same heads; only how tokens lie differs."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import nn

#: Takes the states of tokens, returns [windows, 2 * width]: of each window the mean, then the maximum.
Pool = Callable[[torch.Tensor], torch.Tensor]


def pooled(states: Sequence[torch.Tensor], layers: Sequence[int], pool: Pool) -> list[torch.Tensor]:
    """Return what `pool` makes of each of the layers."""
    return [pool(states[layer]) for layer in layers]


def padded_pooling(mask: torch.Tensor) -> Pool:
    """Pool states [windows, tokens, width], where `mask` [windows, tokens] is not 0."""
    keep = mask.unsqueeze(-1).bool()
    count = mask.sum(dim=1, keepdim=True)

    def pool(states: torch.Tensor) -> torch.Tensor:
        mean = states.masked_fill(~keep, 0.0).sum(dim=1) / count.to(states.dtype)
        return torch.cat([mean, states.masked_fill(~keep, float("-inf")).amax(dim=1)], dim=1)

    return pool


class PackedPooling(nn.Module):
    """Pools states [tokens, width] of windows that lie one after another; in fp32."""

    def forward(self, states: list[torch.Tensor], sizes: torch.Tensor, longest: int) -> list[torch.Tensor]:
        """Return a part for each of `states`; `sizes` [windows]: tokens of each window, `longest` at most."""
        window = torch.arange(len(sizes)).repeat_interleave(sizes)
        parts: list[torch.Tensor] = []
        for one in states:
            own = one.float()
            mean = own.new_zeros([len(sizes), own.shape[1]]).index_add_(0, window, own) / sizes[:, None]
            lowest = torch.full_like(mean, float("-inf"))
            most = lowest.scatter_reduce_(0, window[:, None].expand_as(own), own, "amax")
            parts.append(torch.cat([mean, most], dim=1))
        return parts


class RowPooling(nn.Module):
    """As `PackedPooling`, by way of padded rows: CUDA adds up rows faster than it adds to them."""

    def forward(self, states: list[torch.Tensor], sizes: torch.Tensor, longest: int) -> list[torch.Tensor]:
        columns = torch.arange(longest, device=sizes.device)
        starts = sizes.cumsum(0) - sizes
        places = (starts[:, None] + columns).clamp_max(len(states[0]) - 1)
        pool = padded_pooling((columns < sizes[:, None]).long())
        return [pool(one[places].float()) for one in states]
