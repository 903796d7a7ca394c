"""Linear layers in eight bits, by the oneDNN kernels that torch brings: nothing to calibrate, nothing to convert.

Weights have one scale an output channel, and eight bits where the processor has VNNI. Elsewhere they have seven: two
products of eight-bit numbers overflow the sixteen bits in which they are added there. Activations have one scale a row,
found as the row comes: a scale for the whole tensor would make the scores of a text depend on its batch.
"""

from __future__ import annotations

import torch
from torch import nn

from workers.runtimes.processor import adds_in_32_bits

_WEIGHT_STEPS = 127 if adds_in_32_bits() else 63


class Int8Linear(nn.Module):
    """`x @ weight.T + bias` for fp32 rows [rows, inputs]; each row by itself.

    `low`: what the inputs are never below, where it is known (of GELU: -0.17); it leaves more steps for the rest.
    """

    def __init__(self, weight: torch.Tensor, bias: torch.Tensor, *, low: float | None = None) -> None:
        super().__init__()
        scale = weight.abs().amax(dim=1).clamp_min(1e-12) / _WEIGHT_STEPS
        whole = (weight / scale[:, None]).round().to(torch.int8)
        self.low = low
        self.zero = 128 if low is None else 0
        self.scale = nn.Buffer(scale)
        self.no_zeros = nn.Buffer(torch.zeros(len(bias), dtype=torch.int64))
        self.packed = nn.Buffer(torch.ops.onednn.qlinear_prepack(whole, [512, weight.shape[1]]))
        shift = 0.0 if low is None else low * (whole.float() * scale[:, None]).sum(dim=1)
        self.bias = nn.Buffer(bias + shift)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return [rows, outputs] in fp32."""
        if self.low is None:
            step = x.abs().amax(dim=-1, keepdim=True).clamp_min_(1e-12).div_(127)
            # Truncation of x + 0.5 rounds, and costs no pass of its own.
            steps = torch.addcmul(self._half(x), x, step.reciprocal())
        else:
            step = x.amax(dim=-1, keepdim=True).sub_(self.low).clamp_min_(1e-12).div_(255)
            inverse = step.reciprocal()
            steps = torch.addcmul(0.5 - self.low * inverse, x, inverse)
        found = self.product(steps.to(torch.uint8))
        return torch.addcmul(self.bias, found, step, out=found)

    def product(self, whole: torch.Tensor) -> torch.Tensor:
        """Return (`whole` - zero) @ weight.T in fp32, for `whole` [rows, inputs] in uint8."""
        run = torch.ops.onednn.qlinear_pointwise
        weight = (self.packed, self.scale, self.no_zeros)
        found: torch.Tensor = run(whole, 1.0, self.zero, *weight, None, 1.0, 0, torch.float32, "none", [], "none")
        return found

    def _half(self, x: torch.Tensor) -> torch.Tensor:
        return x.new_full((1, 1), self.zero + 0.5)
