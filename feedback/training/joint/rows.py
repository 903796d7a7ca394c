"""Texts as the training loop wants them: word pieces, category targets, and which label each word piece may have."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from feedback.training.labels import Targets
from feedback.training.spans import SpanExample
from screening.categories import MODEL_CATEGORIES, MODEL_ENTITIES
from workers.runtimes.windows import Window, WindowTokenizer

#: Windows of a long text that are trained on: its first and its last, where injected text likes to sit. What is fitted
#: to scores, or measured, is read whole, as in serving.
TRAINED_WINDOWS = 2


@dataclass(frozen=True)
class Rows:
    """`windows[i]`: word pieces of the windows of text i. `allowed[i]`: for each window a bit set a word piece of the
    labels it may have (0: nothing is known), as long as the window's ids; empty when text i has no token labels."""

    windows: list[list[tuple[int, ...]]]
    allowed: list[list[np.ndarray]]
    targets: Targets

    def __len__(self) -> int:
        return len(self.windows)

    def lengths(self) -> np.ndarray:
        """Return the word pieces of the longest window of each text."""
        return np.array([max(len(ids) for ids in own) for own in self.windows])

    def key(self) -> str:
        """Return a hash of everything the loop reads."""
        digest = hashlib.sha256()
        for own, marks in zip(self.windows, self.allowed, strict=True):
            digest.update(repr(own).encode())
            for mark in marks:
                digest.update(mark.tobytes())
        for array in (self.targets.value, self.targets.weight, self.targets.some):
            digest.update(np.ascontiguousarray(array).tobytes())
        return digest.hexdigest()


def category_rows(
    texts: Sequence[str],
    targets: Targets,
    *,
    tokenizer: WindowTokenizer,
    window: int,
    overlap: int,
    most: int | None = None,
) -> Rows:
    """Return rows without token labels; of texts of more than `most` windows the first ones and the last."""
    own = _windows(texts, tokenizer, window, overlap, most)
    return Rows([[w.ids for w in windows] for windows in own], [[] for _ in texts], targets)


def span_rows(
    examples: Sequence[SpanExample],
    *,
    tokenizer: WindowTokenizer,
    window: int,
    overlap: int,
    most: int | None = None,
) -> Rows:
    """Return rows with token labels whose categories are all unknown; `most` as in category_rows."""
    own = _windows([e.text for e in examples], tokenizer, window, overlap, most)
    shape = (len(examples), len(MODEL_CATEGORIES))
    unknown = Targets(
        np.zeros(shape, dtype=np.float32), np.zeros(shape, dtype=np.float32), np.zeros(len(examples), dtype=bool)
    )
    allowed = [[allowed_labels(e, w) for w in windows] for e, windows in zip(examples, own, strict=True)]
    return Rows([[w.ids for w in windows] for windows in own], allowed, unknown)


def joined(first: Rows, second: Rows) -> Rows:
    a, b = first.targets, second.targets
    both = Targets(
        np.concatenate([a.value, b.value]), np.concatenate([a.weight, b.weight]), np.concatenate([a.some, b.some])
    )
    return Rows(first.windows + second.windows, first.allowed + second.allowed, both)


def allowed_labels(example: SpanExample, window: Window) -> np.ndarray:
    """Return a bit set of TOKEN_LABELS for each id of `window`.

    A piece of a span has one label. Outside, a piece may be outside, or any entity that nobody looked for in this
    text: the loss asks for the sum of what is allowed. [CLS] and [SEP] know nothing.
    """
    open_labels = 1
    for number, entity in enumerate(MODEL_ENTITIES):
        if entity not in example.annotated:
            open_labels |= 0b11 << (1 + 2 * number)
    marks = np.zeros(len(window.ids), dtype=np.int32)
    marks[1:-1] = open_labels
    starts = np.array([start for start, _ in window.offsets], dtype=np.int64)
    ends = np.array([end for _, end in window.offsets], dtype=np.int64)
    for span in example.spans:
        inside = np.flatnonzero((starts < span.end) & (ends > span.start))
        label = 1 + 2 * MODEL_ENTITIES.index(span.label)
        marks[inside + 1] = 1 << (label + 1)
        # A window may begin in the middle of a span: that piece is a later one.
        if len(inside) and starts[inside[0]] <= span.start:
            marks[inside[0] + 1] = 1 << label
    return marks


def _windows(
    texts: Sequence[str], tokenizer: WindowTokenizer, window: int, overlap: int, most: int | None
) -> list[list[Window]]:
    own: list[list[Window]] = [[] for _ in texts]
    for one in tokenizer.windows(texts, size=window, overlap=overlap):
        own[one.text].append(one)
    return [w if most is None or len(w) <= most else [*w[: most - 1], w[-1]] for w in own]
