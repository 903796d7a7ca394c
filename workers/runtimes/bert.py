"""MiniLM's architecture, as it trains and as the plain pass reads: padded, with the attention left open.

Parameters are named as in transformers' `BertModel`, so that its state dicts, and adapters merged into them, load.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import torch
from torch import nn
from torch.nn import functional as F

#: Takes queries, keys and values [..., heads, width of a head] of every token and returns the same shape.
Attend = Callable[[torch.Tensor, torch.Tensor, torch.Tensor], torch.Tensor]


class Layer(nn.Module):
    """One transformer block, normalised after each half. It looks at one token at a time, except through `attend`."""

    def __init__(self, width: int, heads: int, inner: int) -> None:
        super().__init__()
        self.heads = heads
        parts = {name: nn.Linear(width, width) for name in ("query", "key", "value")}
        self.attention = nn.ModuleDict({"self": nn.ModuleDict(parts), "output": _output(width, width)})
        self.intermediate = nn.ModuleDict({"dense": nn.Linear(width, inner)})
        self.output = _output(inner, width)

    def forward(self, x: torch.Tensor, attend: Attend) -> torch.Tensor:
        """Return states of the shape of `x`, [..., width]."""
        own = self.attention["self"]
        assert isinstance(own, nn.ModuleDict)  # noqa: S101 - made above
        query, key, value = (own[name](x).unflatten(-1, (self.heads, -1)) for name in ("query", "key", "value"))
        x = _add(self.attention["output"], attend(query, key, value).flatten(-2), x)
        return _add(self.output, F.gelu(self.intermediate["dense"](x)), x)


class Bert(nn.Module):
    """Embeddings and layers, without a pooler."""

    def __init__(
        self, *, width: int = 384, layers: int = 6, heads: int = 12, inner: int = 1_536, vocabulary: int = 30_522
    ) -> None:
        super().__init__()
        self.embeddings = nn.ModuleDict(
            {
                "word_embeddings": nn.Embedding(vocabulary, width),
                "position_embeddings": nn.Embedding(512, width),
                "token_type_embeddings": nn.Embedding(2, width),
                "LayerNorm": nn.LayerNorm(width, eps=1e-12),
            }
        )
        self.encoder = nn.ModuleDict({"layer": nn.ModuleList(Layer(width, heads, inner) for _ in range(layers))})

    def forward(self, input_ids: torch.Tensor, positions: torch.Tensor, attend: Attend) -> list[torch.Tensor]:
        """Return the states of the embeddings and of every layer, each [..., width], for `input_ids` [...]."""
        parts = self.embeddings
        # Everything is of the first type: upstream's second one is for pairs of texts.
        words = parts["word_embeddings"](input_ids) + parts["token_type_embeddings"](torch.zeros_like(positions))
        states = [parts["LayerNorm"](words + parts["position_embeddings"](positions))]
        for layer in self.layers:
            states.append(layer(states[-1], attend))
        return states

    @property
    def layers(self) -> list[Layer]:
        found = self.encoder["layer"]
        assert isinstance(found, nn.ModuleList)  # noqa: S101 - made above
        return list(found)  # type: ignore[arg-type]  # made above

    @classmethod
    def from_state(cls, state: Mapping[str, torch.Tensor]) -> Bert:
        """Build MiniLM-L6 from a state dict of `BertModel`; raise RuntimeError when it does not fit."""
        model = cls()
        model.load_state_dict({k: v for k, v in state.items() if k in model.state_dict()})
        return model.eval()


def padded_attention(mask: torch.Tensor) -> Attend:
    """Attend within rows [rows, tokens, ...]; what `mask` [rows, tokens] marks 0 is seen by nobody."""
    seen = mask.bool()[:, None, None, :]

    def attend(query: torch.Tensor, key: torch.Tensor, value: torch.Tensor) -> torch.Tensor:
        query, key, value = (x.transpose(1, 2) for x in (query, key, value))
        return F.scaled_dot_product_attention(query, key, value, attn_mask=seen).transpose(1, 2)

    return attend


def _output(inner: int, width: int) -> nn.ModuleDict:
    return nn.ModuleDict({"dense": nn.Linear(inner, width), "LayerNorm": nn.LayerNorm(width, eps=1e-12)})


def _add(output: nn.Module, inner: torch.Tensor, x: torch.Tensor) -> torch.Tensor:
    assert isinstance(output, nn.ModuleDict)  # noqa: S101 - made above
    added: torch.Tensor = output["LayerNorm"](output["dense"](inner) + x)
    return added
