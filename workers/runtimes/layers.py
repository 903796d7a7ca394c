"""`GuardNet` made anew for tokens that lie one after another, in each precision."""

from __future__ import annotations

import copy
from dataclasses import dataclass

import torch
from torch import nn

from workers.runtimes.attention import LOG2_E, Attention, AttentionInBf16
from workers.runtimes.bert import Layer
from workers.runtimes.int8 import Int8FeedForward, Int8Linear, Int8Weights
from workers.runtimes.joint import JointHeads
from workers.runtimes.linear import fast_linear
from workers.runtimes.net import GuardNet, StateHeads
from workers.runtimes.processor import Precision
from workers.runtimes.tuples import Layout, Outputs


@dataclass(frozen=True)
class LayerMaker:
    """Makes layers of `net` in a precision, with a way of attending."""

    net: GuardNet
    precision: Precision
    attention: Attention

    @property
    def kind(self) -> torch.dtype:
        """The type of states between layers."""
        return torch.bfloat16 if self.precision == "bf16" else torch.float32

    @property
    def halves(self) -> bool:
        """Whether attention takes bf16, and powers of two."""
        return isinstance(self.attention, AttentionInBf16)

    @torch.no_grad()
    def heads(self) -> StateHeads:
        """Return a copy of the heads, whose large layers are made anew."""
        packed = copy.deepcopy(self.net.heads)
        if isinstance(packed, JointHeads):
            packed.token_hidden = _InFp32(self.remade("heads.token_hidden"))
            if self.precision == "int8":
                packed.hidden = Int8Weights(self._linear("heads.hidden"))
                packed.embedding = Int8Weights(self._linear("heads.embedding"))
        return packed

    def table(self, name: str) -> nn.Embedding:
        """Return the embeddings of that name."""
        found = self.net.get_submodule(f"encoder.embeddings.{name}_embeddings")
        assert isinstance(found, nn.Embedding)  # noqa: S101 - the net made it
        return found

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
        return self.in_its_type(self.net.get_submodule(name))

    def in_its_type(self, own: nn.Module) -> nn.Module:
        """Return `own` in the type of the states."""
        return own if self.kind == torch.float32 else copy.deepcopy(own).to(self.kind)

    def _made(
        self, name: str, weight: torch.Tensor, bias: torch.Tensor, *, out: torch.dtype = torch.float32
    ) -> nn.Module:
        if self.precision == "int8":
            return Int8Linear.over(weight, bias, self.net.ranges[name], out=out)
        return fast_linear(weight.to(self.kind), bias.to(self.kind))

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
        self.attention = make.attention
        self.query_key_value = make.query_key_value(f"{name}.attention.self", own.heads)
        self.out = make.remade(f"{name}.attention.output.dense")
        self.out_norm = make.norm(f"{name}.attention.output.LayerNorm")
        self.feed_forward = make.feed_forward(f"{name}.intermediate.dense", f"{name}.output.dense")
        self.down_norm = make.norm(f"{name}.output.LayerNorm")

    def forward(self, x: torch.Tensor, layout: Layout) -> torch.Tensor:
        """Return states of the shape of `x`, [tokens, width]."""
        together = self.query_key_value(x).view(len(x), 3, self.heads, -1)
        # In place: new memory costs page faults, and a good part of the product's own time.
        x = self.out_norm(self.out(self.attention(together, layout).flatten(-2)).add_(x))
        added: torch.Tensor = self.down_norm(self.feed_forward(x).add_(x))
        return added


class PackedNet(nn.Module):
    """What `GuardNet` computes of the tokens of all windows one after another, but for its words."""

    @torch.no_grad()
    def __init__(self, make: LayerMaker, pooling: nn.Module) -> None:
        super().__init__()
        words, places, kinds = (make.table(name) for name in ("word", "position", "token_type"))
        # Other layers share the embeddings, 47 MB, unless they are of another type.
        self.words = make.in_its_type(words)
        # Everything is of the first type: upstream's second one is for pairs of texts.
        self.places = nn.Buffer((places.weight + kinds.weight[0]).to(make.kind))
        self.norm = make.norm("encoder.embeddings.LayerNorm")
        names = [f"encoder.encoder.layer.{i}" for i in range(len(make.net.encoder.layers))]
        self.layers = nn.ModuleList(PackedLayer(make, name) for name in names)
        self.heads = make.heads()
        self.attention = make.attention
        self.pooling = pooling
        self.eval()

    def forward(self, ids: torch.Tensor, sizes: list[int], idle: bool) -> Outputs:
        """Read word pieces `ids` [tokens] of windows of `sizes` tokens, on a CPU; `idle`: nobody asked for the last."""
        return self.read(ids, torch.tensor(sizes), max(sizes), self.attention.layout(sizes, idle))

    def read(self, ids: torch.Tensor, sizes: torch.Tensor, longest: int, layout: Layout) -> Outputs:
        """As `forward`, on any device, with the layout of windows of `sizes` [windows] tokens, `longest` at most."""
        return self.said(self.states(ids, sizes, layout), sizes, longest)

    def states(self, ids: torch.Tensor, sizes: torch.Tensor, layout: Layout) -> list[torch.Tensor]:
        """Return the states of the embeddings and of every layer, each [tokens, width]."""
        starts = (sizes.cumsum(0) - sizes).repeat_interleave(sizes, output_size=len(ids))
        places = self.places.index_select(0, torch.arange(len(ids), device=ids.device) - starts)
        states: list[torch.Tensor] = [self.norm(self.words(ids) + places)]
        for layer in self.layers:
            states.append(layer(states[-1], layout))
        return states

    def said(self, states: list[torch.Tensor], sizes: torch.Tensor, longest: int) -> Outputs:
        """Return what the heads say of `states`."""
        parts = self.pooling([states[layer] for layer in self.heads.pooled], sizes, longest)
        found: Outputs = self.heads(states, parts)
        return found


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
