"""From token logits of windows to spans of a text, in code points."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from screening.categories import MODEL_ENTITIES
from screening.findings import Span
from workers.runtimes.windows import Window

#: A text none of whose word pieces is an entity by more than this has no spans: most texts end here.
NOTHING = 0.3
_FIRST = np.arange(1, 2 * len(MODEL_ENTITIES), 2)
_LATER = _FIRST + 1


def spans_of(
    windows: Sequence[Window], logits: Sequence[np.ndarray], *, overlap: int, later: frozenset[int]
) -> tuple[Span, ...]:
    """Return the spans of one text, in order and apart.

    `windows` of the text, in order, consecutive ones sharing `overlap` word pieces; `logits` [ids, TOKEN_LABELS] of
    each; `later`: the word pieces that go on a word. A piece in two windows is read where it has more text around it.
    The labels are the likeliest sequence in which a word has one entity and a later piece follows one of its entity; a
    span's score is the mean probability of its entity over its words.
    """
    if not any(_somebody(own[1:-1]) for own in logits):
        return ()
    offsets, continues, rows = _stitched(windows, logits, overlap, later)
    if not offsets:
        return ()
    if not _somebody(rows):
        return ()
    odds = _odds(rows)
    starts = np.flatnonzero(~continues)
    labels = _likeliest(_of_words(np.log(odds + 1e-9), starts))
    entities = np.add.reduceat(odds[:, _FIRST] + odds[:, _LATER], starts, axis=0)
    entities /= np.diff([*starts, len(odds)])[:, None]
    ends = [offsets[i - 1][1] for i in [*starts[1:], len(offsets)]]
    spans: list[Span] = []
    words = 0
    for word, label in enumerate(labels):
        if label == 0:
            continue
        score = float(entities[word, (label - 1) // 2])
        if label % 2:
            words = 1
            spans.append(Span(offsets[starts[word]][0], ends[word], MODEL_ENTITIES[label // 2], score))
        else:
            last, words = spans.pop(), words + 1
            spans.append(Span(last.start, ends[word], last.label, last.score + (score - last.score) / words))
    return tuple(spans)


def _odds(rows: np.ndarray) -> np.ndarray:
    odds: np.ndarray = np.exp(rows - rows.max(axis=1, keepdims=True))
    odds /= odds.sum(axis=1, keepdims=True)
    return odds


def _somebody(rows: np.ndarray) -> bool:
    """Return whether some word piece [pieces, labels] is an entity by more than NOTHING."""
    return len(rows) > 0 and float(_odds(rows)[:, 0].min()) < 1 - NOTHING


def _of_words(logs: np.ndarray, starts: np.ndarray) -> np.ndarray:
    """Return log probabilities [words, labels]: of a word's first piece, and of its others as later pieces."""
    found: np.ndarray = np.add.reduceat(logs, starts, axis=0)
    first = logs[starts]
    found[:, _FIRST] = first[:, _FIRST] + found[:, _LATER] - first[:, _LATER]
    return found


def _likeliest(logs: np.ndarray) -> list[int]:
    """Return the likeliest label of each word [words, labels] such that no later piece lacks a first one."""
    own = logs.argmax(axis=1)
    if _follows(own):
        return [int(label) for label in own]
    best = np.full((len(logs), logs.shape[1]), 0)
    total = logs[0].copy()
    total[_LATER] = -np.inf
    for word in range(1, len(logs)):
        top = int(total.argmax())
        before = np.where(total[_FIRST] >= total[_LATER], _FIRST, _LATER)
        best[word] = top
        best[word, _LATER] = before
        after = logs[word] + total[top]
        after[_LATER] = logs[word, _LATER] + total[before]
        total = after
    labels = [int(total.argmax())]
    for word in range(len(logs) - 1, 0, -1):
        labels.append(int(best[word, labels[-1]]))
    return labels[::-1]


def _follows(labels: np.ndarray) -> bool:
    """Return whether each later piece goes on its entity: then nothing is likelier than each word's own likeliest."""
    before = np.concatenate([[0], labels[:-1]])
    later = (labels > 0) & (labels % 2 == 0)
    return bool(np.all(~later | (before == labels) | (before == labels - 1)))


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
