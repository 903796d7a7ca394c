"""From what a token classifier says of tokens to spans of a text. No model here."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import torch

from screening.findings import Span


@dataclass(frozen=True, slots=True)
class Labels:
    """`places`: by target, the model's labels that stand for it. `begins`: labels that begin a new span (B-)."""

    places: dict[str, list[int]]
    begins: frozenset[int]


@dataclass(frozen=True, slots=True)
class _Word:
    start: int
    end: int
    target: str
    score: float
    begins: bool


def spans_of(text: str, windows: Sequence[tuple[Any, torch.Tensor]], step: int, labels: Labels) -> tuple[Span, ...]:
    """Return the spans of a text, in order.

    `windows`: (tokenizers.Encoding, probabilities [tokens, labels]) in order, consecutive ones beginning `step` tokens
    apart. Where windows overlap, a token is judged by the one that sees more around it. The tokens of a word are
    judged together, and consecutive words of one target are one span, unless a label says that another begins.
    """
    spans: list[Span] = []
    scores: list[float] = []
    previous: _Word | None = None
    for word in _words(text, _stitched(windows, step), labels):
        if previous is not None and word.target and word.target == previous.target and not word.begins:
            scores.append(word.score)
            spans[-1] = Span(spans[-1].start, word.end, word.target, sum(scores) / len(scores))
        elif word.target:
            scores = [word.score]
            spans.append(Span(word.start, word.end, word.target, word.score))
        previous = word
    return tuple(spans)


def _stitched(
    windows: Sequence[tuple[Any, torch.Tensor]], step: int
) -> Iterator[tuple[int | None, int, int, torch.Tensor]]:
    """Yield (word, start, end, probabilities) of every token of the text once."""
    best: dict[int, tuple[int, int | None, int, int, torch.Tensor]] = {}
    for number, (encoding, rows) in enumerate(windows):
        real = [place for place, special in enumerate(encoding.special_tokens_mask) if not special]
        for nth, place in enumerate(real):
            around = min(nth, len(real) - 1 - nth)
            token = number * step + nth
            if token not in best or around > best[token][0]:
                best[token] = (around, encoding.word_ids[place], *encoding.offsets[place], rows[place])
    for token in sorted(best):
        yield best[token][1:]


def _words(text: str, tokens: Iterator[tuple[int | None, int, int, torch.Tensor]], labels: Labels) -> Iterator[_Word]:
    current: int | None = None
    rows: list[torch.Tensor] = []
    start = end = 0
    for word, begin, finish, row in tokens:
        if rows and (word is None or word != current):
            yield _word(text, start, end, rows, labels)
            rows = []
        if not rows:
            start = begin
        current, end = word, finish
        rows.append(row)
    if rows:
        yield _word(text, start, end, rows, labels)


def _word(text: str, start: int, end: int, rows: list[torch.Tensor], labels: Labels) -> _Word:
    mean = torch.stack(rows).mean(0)
    scores = {target: float(mean[places].sum()) for target, places in labels.places.items()}
    target = max(scores, key=lambda name: scores[name])
    while start < end and text[start].isspace():  # some tokenizers count the blank before a word
        start += 1
    if start == end or scores[target] <= 1.0 - sum(scores.values()):
        return _Word(start, end, "", 0.0, begins=False)
    begins = int(rows[0].argmax()) in labels.begins
    return _Word(start, end, target, min(1.0, scores[target]), begins)
