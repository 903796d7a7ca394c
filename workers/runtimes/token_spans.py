"""From token logits of windows to spans of a text, in code points."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from screening.categories import MODEL_ENTITIES
from screening.findings import Span
from workers.runtimes.windows import Window


def spans_of(
    windows: Sequence[Window], logits: Sequence[np.ndarray], *, overlap: int, later: frozenset[int]
) -> tuple[Span, ...]:
    """Return the spans of one text, in order and apart.

    `windows` of the text, in order, consecutive ones sharing `overlap` word pieces; `logits` [ids, TOKEN_LABELS] of
    each; `later`: the word pieces that go on a word. A piece in two windows is read where it has more text around it.
    A whole word has one label, that of the mean over its pieces; a span's score is the mean over its words.
    """
    offsets, continues, rows = _stitched(windows, logits, overlap, later)
    if not offsets:
        return ()
    odds = np.exp(rows - rows.max(axis=1, keepdims=True))
    odds /= odds.sum(axis=1, keepdims=True)
    starts = np.flatnonzero(~continues)
    of_words = np.add.reduceat(odds, starts, axis=0) / np.diff([*starts, len(odds)])[:, None]
    entities = of_words[:, 1::2] + of_words[:, 2::2]
    best = entities.argmax(axis=1)
    found = entities[np.arange(len(best)), best] > of_words[:, 0]
    begins = odds[starts][np.arange(len(best)), 1 + 2 * best] > odds[starts][np.arange(len(best)), 2 + 2 * best]
    ends = [offsets[i - 1][1] for i in [*starts[1:], len(offsets)]]
    spans: list[Span] = []
    words = 0
    for word in np.flatnonzero(found):
        label, score = MODEL_ENTITIES[best[word]], float(entities[word, best[word]])
        goes_on = word > 0 and found[word - 1] and best[word - 1] == best[word] and not begins[word]
        if goes_on:
            last, words = spans.pop(), words + 1
            mean = last.score + (score - last.score) / words
            spans.append(Span(last.start, ends[word], label, mean))
        else:
            words = 1
            spans.append(Span(offsets[starts[word]][0], ends[word], label, score))
    return tuple(spans)


def _stitched(
    windows: Sequence[Window], logits: Sequence[np.ndarray], overlap: int, later: frozenset[int]
) -> tuple[list[tuple[int, int]], np.ndarray, np.ndarray]:
    """Return offsets, which pieces go on a word, and logits, of every word piece of the text once."""
    offsets: list[tuple[int, int]] = []
    continues: list[bool] = []
    rows = []
    for number, (window, own) in enumerate(zip(windows, logits, strict=True)):
        first = 0 if number == 0 else overlap - overlap // 2
        last = len(window.offsets) - (overlap // 2 if number < len(windows) - 1 else 0)
        offsets += window.offsets[first:last]
        continues += [piece in later for piece in window.ids[1 + first : 1 + last]]
        rows.append(own[1 + first : 1 + last])
    continues[:1] = [False][: len(continues)]
    return offsets, np.array(continues, dtype=bool), np.concatenate(rows)
