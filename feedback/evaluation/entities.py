"""How well spans are found: to the character, and by any overlap; and labels that a model does not have."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from feedback.evaluation.figures import Interval, interval
from feedback.evaluation.rows import Row
from feedback.training.fields import named
from feedback.training.spans import TextSpan
from screening.findings import Span

#: Columns of the counts of one text: true spans, found spans, true ones that were found, found ones that are true.
TRUE, FOUND, CAUGHT, RIGHT = range(4)


@dataclass(frozen=True)
class EntityFigures:
    """One entity over the texts in which somebody looked for it: true spans, found ones, and rates.

    Without a true span there is no recall and no F1.
    """

    entity: str
    texts: int
    spans: int
    found: int
    exact: dict[str, Interval]
    overlapping: dict[str, Interval]


def entity_figures(
    rows: Sequence[Row], found: Sequence[Sequence[Span]], entity: str, weights: np.ndarray
) -> EntityFigures | None:
    """Return the figures of `entity`, None where nobody looked; `weights` [resamples, rows] as draws() gives them."""
    looked = [i for i, row in enumerate(rows) if _looked(row, entity)]
    pairs = [(_of(rows[i].spans or (), entity), _of(found[i], entity)) for i in looked]
    exact = np.array([_counts(true, own, exact=True) for true, own in pairs]).reshape(-1, 4)
    overlap = np.array([_counts(true, own, exact=False) for true, own in pairs]).reshape(-1, 4)
    if not looked:
        return None
    own = np.array([[rows[i].weight] for i in looked])
    drawn = weights[:, looked].astype(float)
    spans, total = (int(exact[:, column].sum()) for column in (TRUE, FOUND))
    return EntityFigures(entity, len(looked), spans, total, _rates(exact * own, drawn), _rates(overlap * own, drawn))


def not_found(rows: Sequence[Row], name: str, entities: Sequence[str]) -> str:
    """Return a sentence on labels of `rows` that the model `name` does not have; empty where it has all.

    A label of another scheme (PER for PERSON) would else be left out of the figures without a word.
    """
    labels = Counter(span.label for row in rows for span in row.spans or ())
    labels.update(label for row in rows for label in row.annotated or ())
    unknown = [label for label, _ in labels.most_common() if label not in entities]
    if not unknown:
        return ""
    known = f"It finds {', '.join(entities)}." if entities else "It finds no spans."
    return f"{name} does not find {named(unknown, entities)}: such spans are not counted. {known}"


def _looked(row: Row, entity: str) -> bool:
    return row.spans is not None and (row.annotated is None or entity in row.annotated)


def _of(spans: Sequence[TextSpan] | Sequence[Span], entity: str) -> set[tuple[int, int]]:
    """Return the places of `entity`; one that is listed twice is one."""
    return {(span.start, span.end) for span in spans if span.label == entity}


def _counts(true: set[tuple[int, int]], found: set[tuple[int, int]], *, exact: bool) -> tuple[int, int, int, int]:
    if exact:
        both = len(true & found)
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
        # Without a right span the harmonic mean is 0, without a true one it is undefined.
        none = np.where(sums[:, TRUE] > 0, 0.0, np.nan)
        f1 = np.where(sums[:, CAUGHT] > 0, 2 * precision * recall / (precision + recall), none)
    return {"precision": precision, "recall": recall, "f1": f1}
