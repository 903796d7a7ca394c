"""The layers of `GuardNet` made anew for tokens that lie one after another, in each precision."""

from __future__ import annotations

import copy
from dataclasses import dataclass

import torch
from torch import nn

from workers.runtimes.attention import LOG2_E, AttendTogether
from workers.runtimes.bert import Bert, Layer
from workers.runtimes.int8 import Int8FeedForward, Int8Linear
from workers.runtimes.joint import JointHeads
from workers.runtimes.linear import fast_linear
from workers.runtimes.net import GuardNet
from workers.runtimes.processor import Precision


@dataclass(frozen=True)
class LayerMaker:
    """Makes layers of `net` in a precision. `halves`: attention takes bf16, and powers of two."""

    net: GuardNet
    precision: Precision
    halves: bool

    @torch.no_grad()
    def encoder(self) -> Bert:
        """Return the encoder with a `PackedLayer` for each of its layers."""
        with torch.device("meta"):
            packed = Bert(layers=0)
        own = self.net.encoder.embeddings
        # Other layers share the embeddings, 47 MB, unless they are of another type.
        packed.embeddings = copy.deepcopy(own).bfloat16() if self.precision == "bf16" else own
        names = [f"encoder.encoder.layer.{i}" for i in range(len(self.net.encoder.layers))]
        packed.encoder = nn.ModuleDict({"layer": nn.ModuleList(PackedLayer(self, name) for name in names)})
        return packed.eval()

    @torch.no_grad()
    def heads(self) -> nn.Module:
        """Return a copy of the heads, whose layer that reads every token is made anew."""
        packed = copy.deepcopy(self.net.heads)
        if isinstance(packed, JointHeads):
            packed.token_hidden = _InFp32(self.remade("heads.token_hidden"))
        return packed

    def remade(self, name: str) -> nn.Module:
        """Return the linear layer of that name."""
        linear = self._linear(name)
        return self._made(name, linear.weight, linear.bias)

    def query_key_value(self, name: str, heads: int) -> nn.Module:
        """Return one layer for queries, keys and values, whose queries are scaled for attention."""
        own = [self._linear(f"{name}.{part}") for part in ("query", "key", "value")]
        # What scores are divided by is in the queries from the start.
        scales = ((LOG2_E if self.halves else 1.0) * (own[0].out_features // heads) ** -0.5, 1.0, 1.0)
        weight = torch.cat([one.weight * scale for one, scale in zip(own, scales, strict=True)])
        bias = torch.cat([one.bias * scale for one, scale in zip(own, scales, strict=True)])
        return self._made(f"{name}.query", weight, bias, out=torch.bfloat16 if self.halves else torch.float32)

    def feed_forward(self, up: str, down: str) -> nn.Module:
        """Return what stands between the two halves' norms, without adding its input."""
        if self.precision != "int8":
            return _FeedForward(self.remade(up), self.remade(down))
        ranges = self.net.ranges
        return Int8FeedForward(self._linear(up), self._linear(down), ranges[up], ranges[down])

    def norm(self, name: str) -> nn.Module:
        own = self.net.get_submodule(name)
        return copy.deepcopy(own).bfloat16() if self.precision == "bf16" else own

    def _made(
        self, name: str, weight: torch.Tensor, bias: torch.Tensor, *, out: torch.dtype = torch.float32
    ) -> nn.Module:
        if self.precision == "int8":
            return Int8Linear.over(weight, bias, self.net.ranges[name], out=out)
        kind = torch.bfloat16 if self.precision == "bf16" else torch.float32
        return fast_linear(weight.to(kind), bias.to(kind))

    def _linear(self, name: str) -> nn.Linear:
        found = self.net.get_submodule(name)
        assert isinstance(found, nn.Linear)  # noqa: S101 - the net made it
        return found


class PackedLayer(nn.Module):
    """What `Layer` computes, with one product for queries, keys and values."""

    def __init__(self, make: LayerMaker, name: str) -> None:
        super().__init__()
        own = make.net.get_submodule(name)
        assert isinstance(own, Layer)  # noqa: S101 - the net made it
        self.heads = own.heads
        self.query_key_value = make.query_key_value(f"{name}.attention.self", own.heads)
        self.out = make.remade(f"{name}.attention.output.dense")
        self.out_norm = make.norm(f"{name}.attention.output.LayerNorm")
        self.feed_forward = make.feed_forward(f"{name}.intermediate.dense", f"{name}.output.dense")
        self.down_norm = make.norm(f"{name}.output.LayerNorm")

    def forward(self, x: torch.Tensor, attend: AttendTogether) -> torch.Tensor:
        """Return states of the shape of `x`, [tokens, width]."""
        together = self.query_key_value(x).view(len(x), 3, self.heads, -1)
        # In place: new memory costs page faults, and a good part of the product's own time.
        x = self.out_norm(self.out(attend(together).flatten(-2)).add_(x))
        added: torch.Tensor = self.down_norm(self.feed_forward(x).add_(x))
        return added


class _FeedForward(nn.Module):
    def __init__(self, up: nn.Module, down: nn.Module) -> None:
        super().__init__()
        self.up, self.down = up, down

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        found: torch.Tensor = self.down(torch.ops.aten.gelu_(self.up(x)))
        return found


class _InFp32(nn.Module):
    def __init__(self, linear: nn.Module) -> None:
        super().__init__()
        self.linear = linear

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        found: torch.Tensor = self.linear(x)
        return found.float()
