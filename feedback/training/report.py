"""Figures of a trained model: per category beside the baseline, per source, and false alarms."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from feedback.evaluation.figures import Result, measure
from feedback.evaluation.tables import figure
from feedback.training.baseline import tfidf_scores
from feedback.training.data import SYNTHETIC, Example
from feedback.training.pipeline import READ_IN, Corpus, Trained
from feedback.training.spans import SpanExample
from screening.categories import MODEL_CATEGORIES
from workers.runtimes.heads import Thresholds


@dataclass(frozen=True)
class CategoryRow:
    """A category on test texts: all of them, those not of our own making, and the baseline on all."""

    category: str
    ours: Result
    ours_real: Result
    baseline: Result
    baseline_real: Result


@dataclass(frozen=True)
class SourceRow:
    """How often a source's test texts reach a flag threshold: those it calls safe, and those it flags."""

    source: str
    safe: int
    safe_reached: float
    flagged: int
    flagged_reached: float


def baseline_scores(corpus: Corpus, rows: np.ndarray) -> np.ndarray:
    """Return the baseline's scores [rows, categories]; NaN where it cannot be fitted."""
    texts = [e.text for e in corpus.examples]
    try:
        return tfidf_scores(texts, corpus.targets, corpus.rows("train"), rows)
    except ValueError:  # so few texts that no two share a word: no reason to lose the model
        return np.full((len(rows), len(MODEL_CATEGORIES)), np.nan)


def category_rows(corpus: Corpus, trained: Trained, baseline: np.ndarray, *, seed: int) -> list[CategoryRow]:
    """Return a row a category; `baseline` holds its scores of the rows of the test side."""
    test = corpus.sides[trained.rows] == "test"
    rows, scores = trained.rows[test], trained.scores[test]
    real = np.array([corpus.examples[i].source != SYNTHETIC for i in rows])
    every = np.ones(len(rows), dtype=bool)
    base = np.nan_to_num(baseline)
    table = []
    for column, category in enumerate(MODEL_CATEGORIES):
        value, weight = corpus.targets.value[rows, column], corpus.targets.weight[rows, column]

        def result(
            of: np.ndarray, use: np.ndarray, at: float, c: int = column, v: np.ndarray = value, w: np.ndarray = weight
        ) -> Result:
            return measure(of[use, c], v[use], w[use], threshold=at, seed=seed)

        flag = trained.thresholds[category].flag
        table.append(
            CategoryRow(
                category,
                ours=result(scores, every, flag),
                ours_real=result(scores, real, flag),
                baseline=result(base, every, 0.5),
                baseline_real=result(base, real, 0.5),
            )
        )
    return table


def source_rows(corpus: Corpus, trained: Trained) -> list[SourceRow]:
    """Return a row a source, over its test texts."""
    test = corpus.sides[trained.rows] == "test"
    rows, reached = trained.rows[test], reaches_flag(trained, trained.scores[test])
    sources = np.array([corpus.examples[i].source for i in rows])
    flags = np.array([{None: -1}.get(f, f) for f in (corpus.examples[i].flag for i in rows)])
    table = []
    for source in sorted(set(sources.tolist())):
        safe, flagged = reached[(sources == source) & (flags == 0)], reached[(sources == source) & (flags == 1)]
        table.append(SourceRow(source, len(safe), _mean(safe), len(flagged), _mean(flagged)))
    return table


def reaches_flag(trained: Trained, scores: np.ndarray, categories: Sequence[str] = MODEL_CATEGORIES) -> np.ndarray:
    """Return for each row of `scores` whether any category reaches its flag threshold."""
    limits = np.array([trained.thresholds[c].flag for c in MODEL_CATEGORIES])
    use = [MODEL_CATEGORIES.index(c) for c in categories]
    return np.asarray((scores[:, use] >= limits[use]).any(axis=1))


def false_alarms(corpus: Corpus, trained: Trained) -> tuple[int, float]:
    """Return how many benign assistant answers are on the test side, and the share flagged in them."""
    test = corpus.sides[trained.rows] == "test"
    benign = corpus.benign_answers(trained.rows) & test
    return int(benign.sum()), _mean(reaches_flag(trained, trained.scores[benign], READ_IN["answers"]))


def input_alarms(corpus: Corpus, trained: Trained) -> tuple[int, float]:
    """Return how many benign prompts and documents are on the test side, and the share flagged as injections."""
    test = corpus.sides[trained.rows] == "test"
    benign = corpus.benign_input(trained.rows) & test
    return int(benign.sum()), _mean(reaches_flag(trained, trained.scores[benign], READ_IN["input"]))


def operating_points(corpus: Corpus, trained: Trained) -> list[list[object]]:
    """Return a row for each recommended limit and for one for all categories: false alarms, and recall a category."""
    test = corpus.sides[trained.rows] == "test"
    rows, scores = trained.rows[test], trained.scores[test]
    answers = [MODEL_CATEGORIES.index(category) for category in READ_IN["answers"]]
    benign = scores[corpus.benign_answers(rows)][:, answers]
    limits = [trained.thresholds[c] for c in MODEL_CATEGORIES]
    points = [(name, np.array([getattr(limit, name) for limit in limits])) for name in Thresholds.model_fields]
    points += [(f"{x}", np.full(len(limits), x)) for x in (0.5, 0.7, 0.9)]
    table = []
    for name, at in points:
        recall: list[object] = []
        for column, limit in enumerate(at):
            positive = (corpus.targets.weight[rows, column] >= 1.0) & (corpus.targets.value[rows, column] > 0)
            recall.append(f"{_mean(scores[positive, column] >= limit):.2f}")
        table.append([name, f"{_mean((benign >= at[answers]).any(axis=1)):.2%}", *recall])
    return table


def unseen_rows(corpus: Corpus, trained: Trained, baseline: np.ndarray, *, seed: int) -> list[list[object]]:
    """Return (source, category, known, positive, AP, AP of the baseline) of sources that were not trained on.

    `baseline`: its scores of the rows of the side "unseen". Only where both labels have five texts.
    """
    unseen = corpus.sides[trained.rows] == "unseen"
    rows, scores = trained.rows[unseen], trained.scores[unseen]
    sources = np.array([corpus.examples[i].source for i in rows])
    table: list[list[object]] = []
    for source in sorted(set(sources.tolist())):
        own = sources == source
        for column, category in enumerate(MODEL_CATEGORIES):
            value, weight = corpus.targets.value[rows[own], column], corpus.targets.weight[rows[own], column]
            ours = measure(scores[own, column], value, weight, threshold=0.5, seed=seed)
            base = measure(np.nan_to_num(baseline[own, column]), value, weight, threshold=0.5, seed=seed)
            if ours.ap and base.ap:
                table.append([source, category, ours.known, ours.positive, figure(ours.ap), figure(base.ap.value)])
    return table


def data_rows(corpus: Corpus) -> list[tuple[str, str, Counter[str]]]:
    """Return (source, licence, rows by side) for each source."""
    every: list[Example | SpanExample] = [*corpus.examples, *corpus.spans]
    licences = {_shown(e): e.licence for e in every}
    counts: dict[str, Counter[str]] = {source: Counter() for source in sorted(licences)}
    for example, side in zip(every, [*corpus.sides.tolist(), *corpus.span_sides], strict=True):
        counts[_shown(example)][side] += 1
    return [(source, licences[source], sides) for source, sides in counts.items()]


def _shown(example: Example | SpanExample) -> str:
    return example.source if isinstance(example, Example) else f"{example.source} (spans)"


def _mean(reached: np.ndarray) -> float:
    return float(reached.mean()) if len(reached) else float("nan")
