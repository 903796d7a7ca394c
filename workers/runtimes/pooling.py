"""Token states to one vector a window. Training and serving must call the same function."""

from __future__ import annotations

from collections.abc import Sequence

import torch


def pool(states: Sequence[torch.Tensor], mask: torch.Tensor, layers: Sequence[int]) -> torch.Tensor:
    """Return [rows, len(layers) * 2 * width]: for each layer the mean, then the maximum, over tokens not masked."""
    keep = mask.unsqueeze(-1).bool()
    count = mask.sum(dim=1, keepdim=True).to(states[0].dtype)
    parts = []
    for layer in layers:
        state = states[layer]
        parts.append(state.masked_fill(~keep, 0.0).sum(dim=1) / count)
        parts.append(state.masked_fill(~keep, float("-inf")).amax(dim=1))
    return torch.cat(parts, dim=1)
