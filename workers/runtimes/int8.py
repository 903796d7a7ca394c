"""Linear layers in eight bits, by the oneDNN kernels that torch brings, with ranges that were measured beforehand.

Each input has a range of its own (ranges.py): what it is multiplied by goes into the weights, so that a wide input does
not make the steps of the others large. Nothing is looked for in a batch, so that a text's scores are the same in any.

Weights have one scale an output, and eight bits where the processor has VNNI. Elsewhere they have seven: two products
of eight-bit numbers overflow the sixteen bits in which they are added there.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import nn

from workers.runtimes.processor import adds_in_32_bits
from workers.runtimes.ranges import Range

_WEIGHT_STEPS = 127 if adds_in_32_bits() else 63
_HIGHEST = 255
#: Added before fractions are cut off, so that numbers are rounded. What is past the end becomes the highest step.
_HALF = 0.5
_END = _HIGHEST + _HALF
#: A range is at least this part of where it lies, so that steps can be counted from zero.
_NARROWEST = 2.0**-8
#: GELU is never below it.
GELU_LOW = -0.17
#: Inner inputs that stay in fp32: the widest. They can be four times as wide as all others, which share a step.
WIDE = 8


#: Shares of its largest weight that a row's scale may end at: cutting one weight off can make the others finer.
_SHARES = torch.tensor([1.0, 0.95, 0.9, 0.85, 0.8, 0.75, 0.7, 0.6, 0.5])


class Steps(NamedTuple):
    """Numbers as whole ones from 0 to 255, of which `zero` means 0.0 and each one more adds `size`."""

    size: torch.Tensor
    zero: torch.Tensor


def steps_over(low: torch.Tensor, high: torch.Tensor) -> Steps:
    """Return the steps that reach from `low` to `high`."""
    span = torch.maximum(high - low, (low.abs() + high.abs()) * _NARROWEST).clamp_min(1e-6)
    size = span / _HIGHEST
    return Steps(size, (-low / size).round())


class Int8Linear(nn.Module):
    """`x @ weight.T + bias` for fp32 or bf16 rows [rows, inputs]; `out`: the type of what it returns."""

    def __init__(
        self,
        weight: torch.Tensor,
        bias: torch.Tensor,
        steps: Steps,
        mean: torch.Tensor,
        *,
        out: torch.dtype = torch.float32,
    ) -> None:
        """`steps` [inputs]; `mean` [inputs]: what rounding the weights changes for it is taken back in the bias."""
        super().__init__()
        self.out, self.end = out, _END
        self.inverse = nn.Buffer(1.0 / steps.size)
        self.offset = nn.Buffer(steps.zero + _HALF)
        of_steps = weight * steps.size
        self.scale = nn.Buffer(_finest(of_steps))
        whole = _whole(of_steps, self.scale)
        rounded = whole * self.scale[:, None]
        self.bias = nn.Buffer(bias - rounded @ steps.zero + (of_steps - rounded) @ (mean / steps.size))
        self.no_zeros = nn.Buffer(torch.zeros(len(bias), dtype=torch.int64))
        self.packed = nn.Buffer(torch.ops.onednn.qlinear_prepack(whole.to(torch.int8), [512, weight.shape[1]]))

    @classmethod
    def over(
        cls, weight: torch.Tensor, bias: torch.Tensor, known: Range, *, out: torch.dtype = torch.float32
    ) -> Int8Linear:
        """Make a layer whose inputs lie in the range `known`."""
        return cls(weight, bias, steps_over(known.low, known.high), known.mean, out=out)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return [rows, outputs]."""
        return self.product(self.steps(x))

    def steps(self, x: torch.Tensor) -> torch.Tensor:
        """Return `x` as whole numbers, in uint8; what lies outside of the range becomes its end."""
        within = torch.addcmul(self.offset, x, self.inverse).clamp_(0.0, self.end)
        # By way of whole numbers: torch takes longer to make bytes of floats.
        return within.to(torch.int16).to(torch.uint8)

    def product(self, steps: torch.Tensor) -> torch.Tensor:
        """Return what the layer makes of `steps`."""
        return self._run(steps, "none", 1.0, 0, self.out)

    def gelu(self, steps: torch.Tensor) -> torch.Tensor:
        """Return GELU of what the layer makes of `steps`."""
        return self._run(steps, "gelu", 1.0, 0, self.out)

    def gelu_in_steps(self, steps: torch.Tensor, size: float, zero: int) -> torch.Tensor:
        """Return it as steps of that size and zero."""
        return self._run(steps, "gelu", size, zero, torch.uint8)

    def _run(self, steps: torch.Tensor, activation: str, size: float, zero: int, kind: torch.dtype) -> torch.Tensor:
        weight, scale, bias = self.packed, self.scale, self.bias
        found: torch.Tensor = torch.ops.onednn.qlinear_pointwise(
            steps, 1.0, 0, weight, scale, self.no_zeros, bias, size, zero, kind, activation, [], "none"
        )
        return found


class Int8FeedForward(nn.Module):
    """`down(gelu(up(x)))`, whose inner numbers are written in eight bits at once, but for a few wide ones."""

    def __init__(self, up: nn.Linear, down: nn.Linear, known: Range, inner: Range) -> None:
        """`known`: of what comes into `up`; `inner`: of what comes into `down`."""
        super().__init__()
        order = inner.high.argsort(descending=True)
        wide, high = order[:WIDE], inner.high[order[WIDE]]
        weight = down.weight.clone()
        weight[:, wide] = 0.0
        steps = steps_over(torch.full_like(inner.high, GELU_LOW), high.expand_as(inner.high))
        self.size, self.zero = float(steps.size[0]), int(steps.zero[0])
        self.up = Int8Linear.over(up.weight, up.bias, known)
        self.up_wide = Int8Linear.over(up.weight[wide], up.bias[wide], known)
        self.down = Int8Linear(weight, down.bias, steps, inner.mean)
        self.down_wide = nn.Buffer(down.weight[:, wide].t().contiguous())

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return rows of the shape of `x`, fp32."""
        steps = self.up.steps(x)
        found = self.down.product(self.up.gelu_in_steps(steps, self.size, self.zero))
        return found.addmm_(self.up_wide.gelu(steps), self.down_wide)


class Int8Weights(nn.Module):
    """`x @ weight.T + bias` for a few rows, fp32: only the weights have eight bits.

    A product of few rows takes as long as its weights come from memory.
    """

    def __init__(self, linear: nn.Linear) -> None:
        super().__init__()
        self.scale = nn.Buffer(_finest(linear.weight).bfloat16())
        self.weight = nn.Buffer(_whole(linear.weight, self.scale.float()).to(torch.int8))
        bias: torch.Tensor | None = linear.bias
        self.bias = nn.Buffer(torch.zeros(len(self.scale)) if bias is None else bias.clone())

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return [rows, outputs]."""
        found: torch.Tensor = torch.ops.aten._weight_int8pack_mm(x.to(torch.bfloat16), self.weight, self.scale)
        return found.float().add_(self.bias)


def _finest(weight: torch.Tensor) -> torch.Tensor:
    """Return the scale of each row [outputs] of which rounding, and cutting off, changes the row least."""
    widest = weight.abs().amax(dim=1).clamp_min(1e-12) / _WEIGHT_STEPS
    away = []
    for share in _SHARES:
        scale = widest * share
        away.append((_whole(weight, scale) * scale[:, None] - weight).square().sum(dim=1))
    return widest * _SHARES[torch.stack(away).argmin(dim=0)]


def _whole(weight: torch.Tensor, scale: torch.Tensor) -> torch.Tensor:
    return (weight / scale[:, None]).round().clamp(-_WEIGHT_STEPS, _WEIGHT_STEPS)
