"""From what models say of rows to figures: overall, by slice, and between two models."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from feedback.evaluation.entities import EntityFigures, entity_figures
from feedback.evaluation.figures import ENOUGH, Interval, Ranked, draws, interval, intervals
from feedback.evaluation.rows import Row
from feedback.evaluation.scoring import Scored

SLICES = ("source", "kind", "language", "length")


@dataclass(frozen=True)
class CategoryFigures:
    """One category over the texts whose label is known. `figures` is empty with fewer than five of either label."""

    category: str
    threshold: float
    known: int
    positive: int
    figures: dict[str, Interval] = field(default_factory=dict)
    reliability: list[tuple[float, float, int]] = field(default_factory=list)


@dataclass(frozen=True)
class BenignFigures:
    """Texts that must raise no alarm, and how many reach a threshold: of any category, and of each."""

    texts: int
    share: Interval
    alarms: dict[str, int]


@dataclass(frozen=True)
class Part:
    """The figures of some rows. `unscanned` texts were not read to the end and count in nothing else."""

    by: str
    value: str
    texts: int
    unscanned: int
    categories: list[CategoryFigures]
    benign: BenignFigures | None
    entities: list[EntityFigures]

    @property
    def mean_ap(self) -> float:
        """Return the mean average precision of the categories that have one."""
        found = [own.figures["ap"].value for own in self.categories if own.figures]
        return float(np.mean(found)) if found else float("nan")


@dataclass(frozen=True)
class ModelReport:
    name: str
    version: str
    overall: Part
    slices: list[Part]


def model_report(rows: Sequence[Row], scored: Scored, *, seed: int) -> ModelReport:
    """Return all figures of one model, with a part for each value of SLICES that the rows have two or more of."""
    weights = draws(len(rows), seed=seed)
    overall = part(rows, scored, np.arange(len(rows)), weights)
    parts = []
    for by in SLICES:
        values = [row.slices.get(by, "") for row in rows]
        if len(set(values)) > 1:
            for value in sorted(set(values) - {""}):
                which = np.array([i for i, own in enumerate(values) if own == value])
                parts.append(part(rows, scored, which, weights, by=by, value=value))
    return ModelReport(scored.name, scored.version, overall, parts)


def part(
    rows: Sequence[Row], scored: Scored, which: np.ndarray, weights: np.ndarray, *, by: str = "", value: str = ""
) -> Part:
    """Return the figures of the rows `which`; `weights` [resamples, rows] are of all rows."""
    texts, which = len(which), which[scored.read[which]]
    own = [rows[i] for i in which]
    categories = [_category(rows, scored, column, which, weights)[0] for column in range(len(scored.categories))]
    entities = [entity_figures(own, [scored.spans[i] for i in which], e, weights[:, which]) for e in scored.entities]
    return Part(
        by,
        value,
        texts,
        texts - len(which),
        categories,
        _benign(rows, scored, which, weights),
        [figures for figures in entities if figures],
    )


def differences(rows: Sequence[Row], first: Scored, second: Scored, *, seed: int) -> dict[str, Interval]:
    """Return by how much the average precision of `second` exceeds that of `first`, for each category of both.

    Both are resampled together, so the interval is of the difference, not of two independent figures.
    """
    weights, every = draws(len(rows), seed=seed), np.arange(len(rows))
    found = {}
    for category in first.categories:
        if category in second.categories:
            a, again = _category(rows, first, first.categories.index(category), every, weights)
            b, other = _category(rows, second, second.categories.index(category), every, weights)
            if a.figures and b.figures:
                gain = b.figures["ap"].value - a.figures["ap"].value
                found[category] = interval(gain, other["ap"] - again["ap"])
    return found


def ranked_of(
    rows: Sequence[Row], scored: Scored, category: str, which: np.ndarray
) -> tuple[Ranked, np.ndarray] | None:
    """Return the ranking of the labelled rows of `which`, and their positions; None where there are too few."""
    scores = scored.scores[:, scored.categories.index(category)]
    known = np.array([i for i in which if category in rows[i].labels and not np.isnan(scores[i])], dtype=int)
    truth = np.array([rows[i].labels[category] for i in known], dtype=bool)
    if min(truth.sum(), len(truth) - truth.sum()) < ENOUGH:
        return None
    threshold, own = scored.thresholds[category], np.array([rows[i].weight for i in known])
    return Ranked(scores[known], truth, threshold=threshold, weights=own), known


def _category(
    rows: Sequence[Row], scored: Scored, column: int, which: np.ndarray, weights: np.ndarray
) -> tuple[CategoryFigures, Mapping[str, np.ndarray]]:
    category = scored.categories[column]
    labels = [rows[i].labels[category] for i in which if category in rows[i].labels]
    head = (category, scored.thresholds[category], len(labels), sum(labels))
    if (found := ranked_of(rows, scored, category, which)) is None:
        return CategoryFigures(*head), {}
    ranked, known = found
    figures, again = intervals(ranked, weights[:, known])
    return CategoryFigures(*head, figures, ranked.reliability()), again


def _benign(rows: Sequence[Row], scored: Scored, which: np.ndarray, weights: np.ndarray) -> BenignFigures | None:
    benign = np.array([i for i in which if rows[i].benign], dtype=int)
    if not len(benign) or not scored.categories:
        return None
    limits = np.array([scored.thresholds[c] for c in scored.categories])
    reached = scored.scores[benign] >= limits
    flagged = reached.any(axis=1)
    own = np.array([rows[i].weight for i in benign])
    drawn = weights[:, benign] * own
    with np.errstate(invalid="ignore"):
        again = (drawn @ flagged) / drawn.sum(axis=1)
    alarms = {c: int(n) for c, n in zip(scored.categories, reached.sum(axis=0), strict=True) if n}
    return BenignFigures(len(benign), interval(float(np.average(flagged, weights=own)), again), alarms)
