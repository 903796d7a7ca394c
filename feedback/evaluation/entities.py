"""How well spans are found: to the character, and by any overlap."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from feedback.evaluation.figures import Interval, interval
from feedback.evaluation.rows import Row
from feedback.training.spans import TextSpan
from screening.findings import Span

#: Columns of the counts of one text: true spans, found spans, true ones that were found, found ones that are true.
TRUE, FOUND, CAUGHT, RIGHT = range(4)


@dataclass(frozen=True)
class EntityFigures:
    """One entity over the texts in which somebody looked for it."""

    entity: str
    texts: int
    spans: int
    exact: dict[str, Interval]
    overlapping: dict[str, Interval]


def entity_figures(
    rows: Sequence[Row], found: Sequence[Sequence[Span]], entity: str, weights: np.ndarray
) -> EntityFigures | None:
    """Return the figures of `entity`, None where no text has one; `weights` [resamples, rows] as draws() gives them."""
    looked = [i for i, row in enumerate(rows) if row.spans is not None and entity in (row.annotated or {entity})]
    pairs = [(_of(rows[i].spans or (), entity), _of(found[i], entity)) for i in looked]
    exact = np.array([_counts(true, own, exact=True) for true, own in pairs]).reshape(-1, 4)
    overlap = np.array([_counts(true, own, exact=False) for true, own in pairs]).reshape(-1, 4)
    if not exact[:, TRUE].sum():
        return None
    drawn = weights[:, looked].astype(float)
    return EntityFigures(entity, len(looked), int(exact[:, TRUE].sum()), _rates(exact, drawn), _rates(overlap, drawn))


def _of(spans: Sequence[TextSpan] | Sequence[Span], entity: str) -> list[tuple[int, int]]:
    return [(span.start, span.end) for span in spans if span.label == entity]


def _counts(true: list[tuple[int, int]], found: list[tuple[int, int]], *, exact: bool) -> tuple[int, int, int, int]:
    if exact:
        both = len(set(true) & set(found))
        return len(true), len(found), both, both
    caught = sum(any(s < end and start < e for s, e in found) for start, end in true)
    right = sum(any(s < end and start < e for s, e in true) for start, end in found)
    return len(true), len(found), caught, right


def _rates(counts: np.ndarray, drawn: np.ndarray) -> dict[str, Interval]:
    once, again = _of_sums(counts.sum(axis=0)[None, :]), _of_sums(drawn @ counts)
    return {name: interval(float(once[name][0]), again[name]) for name in once}


def _of_sums(sums: np.ndarray) -> dict[str, np.ndarray]:
    with np.errstate(divide="ignore", invalid="ignore"):
        precision = sums[:, RIGHT] / sums[:, FOUND]
        recall = sums[:, CAUGHT] / sums[:, TRUE]
        # Without a right span the harmonic mean is 0, not undefined.
        f1 = np.where(sums[:, CAUGHT] > 0, 2 * precision * recall / (precision + recall), 0.0)
    return {"precision": precision, "recall": recall, "f1": f1}
