"""So that there are few kernels: oneDNN makes one for every shape that it is given, and keeps the last 1,024.

Those of products have 0.7 MB each.
"""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch.nn import functional as F

#: Numbers of tokens go in steps of at least so many, and of an eighth at most above 64: up to 1,024 there are 40.
KERNEL_STEP = 8


def missing_tokens(tokens: int) -> int:
    """Return how many tokens a batch of `tokens` lacks to the next number that has a kernel."""
    return -tokens % max(KERNEL_STEP, (1 << (tokens - 1).bit_length()) // 16)


def every_number(window: int, tokens: int) -> Iterator[list[int]]:
    """Yield sizes of windows, of at most `window` tokens, for each number up to `tokens` that has a kernel."""
    for number in range(1, tokens + 1):
        if not missing_tokens(number):
            yield [window] * (number // window) + [number % window] * (number % window > 0)


def gelu(x: torch.Tensor) -> torch.Tensor:
    """Return GELU of `x`: for a CPU that serves, without oneDNN, because there `x` may be of any shape.

    Training has torch's own, whose last bits are others.
    """
    # Only what serves on a CPU is a script.
    if not torch.jit.is_scripting():  # type: ignore[attr-defined]
        serves = x.device.type == "cpu" and torch.is_inference_mode_enabled()
        if not serves:
            return F.gelu(x)
    return torch.erf(x * 0.5**0.5).add_(1.0).mul_(x).mul_(0.5)
