"""Token states to one vector a window. Training and serving must call the same function."""

from __future__ import annotations

from collections.abc import Sequence

import torch


def pool(states: Sequence[torch.Tensor], mask: torch.Tensor, layers: Sequence[int]) -> torch.Tensor:
    """Return [rows, len(layers) * 2 * width]: for each layer the mean, then the maximum, over tokens not masked."""
    hidden = ~mask.unsqueeze(-1).bool()
    share = (mask / mask.sum(dim=1, keepdim=True)).unsqueeze(1)
    parts: dict[int, torch.Tensor] = {}
    for layer in {*layers}:
        state = states[layer]
        mean = torch.bmm(share.to(state.dtype), state).squeeze(1)
        parts[layer] = torch.cat([mean, state.masked_fill(hidden, float("-inf")).amax(dim=1)], dim=1)
    return torch.cat([parts[layer] for layer in layers], dim=1)
