"""The one module that every runtime runs, exports or quantises: encoder and heads, from word pieces to logits."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import torch
from torch import nn

from workers.runtimes.bert import Bert, padded_attention
from workers.runtimes.heads import LEXICAL_SCALE, PAIRS, VOCABULARY, Heads
from workers.runtimes.pooling import padded_pooling, pooled
from workers.runtimes.ranges import Ranges
from workers.runtimes.tuples import Outputs


class StateHeads(nn.Module):
    """Heads on the encoder's states: `heads(states, parts)` returns `Outputs`.

    `states`: of embeddings and layers, each [..., width]; `parts`: for each layer of `pooled`, one vector a window,
    [windows, 2 * width]. `tokens` come as [..., labels]. Runtimes hand them to TorchScript.
    """

    def __init__(self, pooled: Sequence[int]) -> None:
        super().__init__()
        self.pooled = list(pooled)


class GuardNet(nn.Module):
    """A guard model as tensors: deterministic, without dropout, the same for a window alone or in any batch.

    `words(input_ids, mask)`, where there is one, returns logits [rows, categories] that are added to the heads'.
    """

    #: What int8 needs, where it was measured.
    ranges: Ranges

    def __init__(self, encoder: Bert, heads: StateHeads, words: nn.Module | None = None) -> None:
        super().__init__()
        self.ranges = {}
        self.encoder = encoder
        self.heads = heads
        self.words = words
        self.eval()

    def forward(self, input_ids: torch.Tensor, attention_mask: torch.Tensor) -> Outputs:
        """Read windows [rows, tokens] of word pieces with [CLS] and [SEP], padded on the right where the mask is 0."""
        positions = torch.arange(input_ids.shape[1], device=input_ids.device)
        states = self.encoder(input_ids, positions, padded_attention(attention_mask))
        out = self.heads(states, pooled(states, self.heads.pooled, padded_pooling(attention_mask)))
        return self.with_words(out, input_ids, attention_mask)

    def reading_tokens(self) -> Iterator[tuple[str, nn.Linear]]:
        """Yield the linear layers that read every token, by name; queries stand for keys and values, too."""
        for name, module in self.named_modules():
            of_encoder = name.startswith("encoder.") and not name.endswith((".key", ".value"))
            if isinstance(module, nn.Linear) and (of_encoder or name == "heads.token_hidden"):
                yield name, module

    def with_words(self, out: Outputs, input_ids: torch.Tensor, attention_mask: torch.Tensor) -> Outputs:
        """Add to what the heads said of padded windows what the words say."""
        if self.words is None:
            return out
        return out._replace(logits=out.logits + self.words(input_ids, attention_mask))


def unpadded(out: Outputs, sizes: Sequence[int]) -> list[Outputs]:
    """Return the outputs of each window of a padded batch, its tokens cut to its size."""
    tokens = None if out.tokens is None else [row[:size] for row, size in zip(out.tokens, sizes, strict=True)]
    return by_window(out, tokens)


def by_window(out: Outputs, tokens: Sequence[torch.Tensor] | None) -> list[Outputs]:
    """Return the outputs of each window, of which `tokens` are given, [tokens, labels] each."""
    nothing = [None] * len(out.logits)
    parts = zip(out.logits, tokens or nothing, nothing if out.embedding is None else out.embedding, strict=True)
    return [Outputs(*window) for window in parts]


def padded(rows: Sequence[Sequence[int]], device: torch.device | None = None) -> tuple[torch.Tensor, torch.Tensor]:
    """Return `input_ids` and `attention_mask`, both [rows, longest], as `GuardNet` takes them."""
    ids = torch.nn.utils.rnn.pad_sequence([torch.tensor(row) for row in rows], batch_first=True)
    lengths = torch.tensor([[len(row)] for row in rows])
    return ids.to(device), (torch.arange(ids.shape[1]) < lengths).long().to(device)


class PooledHeads(StateHeads):
    """The network of `Heads` on pooled states."""

    def __init__(self, heads: Heads, layers: Sequence[int]) -> None:
        super().__init__(layers)
        self.heads = heads

    def forward(self, states: list[torch.Tensor], parts: list[torch.Tensor]) -> Outputs:
        return Outputs(logits=self.heads.dense(torch.cat(parts, dim=1)))


class WordWeights(nn.Module):
    """The word weights of `Heads`, from word pieces: what `word_items` and `pack_items` do, as tensor operations.

    Numbers stay below 2**31, because runtimes compute integers in 32 bits.
    """

    def __init__(self, heads: Heads) -> None:
        super().__init__()
        self.idf = heads.idf
        self.weights = heads.words

    def forward(self, input_ids: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        """Return logits [rows, categories]: each distinct word piece and pair of a window counts once."""
        mask = mask.bool()
        word = mask[:, 1:-1] & mask[:, 2:]  # not [CLS], not the last one, [SEP]
        ids = input_ids[:, 1:-1]
        pairs = torch.where(word[:, :-1] & word[:, 1:], VOCABULARY + _pair_hash(ids[:, :-1], ids[:, 1:]), -1)
        items = torch.sort(torch.cat([torch.where(word, ids, -1), pairs], dim=1), dim=1).values
        first = torch.cat([torch.ones_like(items[:, :1], dtype=torch.bool), items[:, 1:] != items[:, :-1]], dim=1)
        counted = first & (items >= 0)
        items = items.clamp_min(0)
        values = self.idf[items] * counted
        norm = (values * values).sum(dim=1, keepdim=True).clamp_min(1e-6).sqrt()
        return (LEXICAL_SCALE * values / norm).unsqueeze(1).matmul(self.weights[items]).squeeze(1)


def _pair_hash(a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
    """Return ((a * 40_503 + b * 2_654_435_761) >> 7) % PAIRS of ids below 2**15, for PAIRS = 2**16.

    Only the low 23 bits of the sum count, so that the second factor is 3_635_633 = 1_775 * 2**11 + 433.
    """
    assert PAIRS == 1 << 16  # noqa: S101
    high = (b * 1_775) % 4_096 * 2_048
    return (a * 40_503 % (1 << 23) + high + b * 433) % (1 << 23) // 128
