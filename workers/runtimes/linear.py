"""Linear layers for a CPU in the numbers they are given, by the oneDNN kernels that torch brings.

`nn.Linear` lays bf16 weights out anew at every call, and takes fp32 to MKL, which on processors that are not Intel's
leaves half of AVX-512 unused. Here weights are laid out once, and oneDNN has both.
"""

from __future__ import annotations

import torch
from torch import nn

from workers.runtimes.processor import computes_bf16, has_onednn

#: Rows that the layout is made for; any number can be read with it.
_ROWS = 512


class OneDnnLinear(nn.Module):
    """`x @ weight.T + bias` for rows [..., inputs] of the type of `weight`, fp32 or bf16."""

    def __init__(self, weight: torch.Tensor, bias: torch.Tensor) -> None:
        super().__init__()
        self.bias = nn.Buffer(bias.detach())
        self.packed = nn.Buffer(torch.ops.mkldnn._reorder_linear_weight(weight.detach(), _ROWS))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return [..., outputs] in the type of `x`."""
        found: torch.Tensor = torch.ops.mkldnn._linear_pointwise(x, self.packed, self.bias, "none", [], "")
        return found


def fast_linear(weight: torch.Tensor, bias: torch.Tensor) -> nn.Module:
    """Return the fastest linear layer for the device and type of `weight`."""
    if weight.device.type == "cpu" and has_onednn() and (weight.dtype == torch.float32 or computes_bf16(weight.device)):
        return OneDnnLinear(weight, bias)
    linear = nn.Linear(weight.shape[1], weight.shape[0], device="meta")
    linear.weight, linear.bias = nn.Parameter(weight.detach()), nn.Parameter(bias.detach())
    return linear
