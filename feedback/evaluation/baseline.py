"""TF-IDF with logistic regression, fitted on given rows: what any model has to beat."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from feedback.evaluation.rows import Row, plain
from feedback.evaluation.scoring import DEFAULT_THRESHOLD, Scored
from feedback.training.baseline import tfidf_scores
from feedback.training.labels import Targets
from screening.categories import MODEL_CATEGORIES

NAME = "TF-IDF + LR"


def fit_and_score(training: Sequence[Row], rows: Sequence[Row]) -> Scored:
    """Return the baseline's scores of `rows`; it answers for the categories of which `training` has both labels."""
    every = [*training, *rows]
    shape = (len(every), len(MODEL_CATEGORIES))
    value, weight = np.zeros(shape, dtype=np.float32), np.zeros(shape, dtype=np.float32)
    for i, row in enumerate(every):
        for column, category in enumerate(MODEL_CATEGORIES):
            value[i, column], weight[i, column] = row.labels.get(category, 0), category in row.labels
    targets = Targets(value, weight, np.zeros(len(every), dtype=bool))
    fitted, asked = np.arange(len(training)), np.arange(len(training), len(every))
    scores = tfidf_scores([row.text for row in every], targets, fitted, asked)
    answered = [c for c in range(len(MODEL_CATEGORIES)) if not np.isnan(scores[:, c]).any()]
    categories = tuple(MODEL_CATEGORIES[c] for c in answered)
    thresholds = dict.fromkeys(categories, DEFAULT_THRESHOLD)
    read = np.ones(len(rows), dtype=bool)
    version = f"fitted on {len(training)} rows"
    return Scored(NAME, version, categories, (), thresholds, scores[:, answered], [()] * len(rows), read)


def shared_texts(training: Sequence[Row], rows: Sequence[Row]) -> int:
    """Return how many of `rows` are also in `training`, case and spacing aside."""
    seen = {plain(row.text) for row in training}
    return sum(plain(row.text) in seen for row in rows)


def left_out(training: Sequence[Row], rows: Sequence[Row], scored: Scored) -> str:
    """Return a sentence on categories of `rows` that the fitted baseline has no scores of; empty if there is none."""
    asked = [c for c in MODEL_CATEGORIES if c not in scored.categories and any(c in row.labels for row in rows)]
    if not asked:
        return ""
    named = ", ".join(f"{category} ({_why(training, category)})" for category in asked)
    return f"The baseline needs training rows of both labels, 0 and 1; it has no figures for {named}."


def _why(training: Sequence[Row], category: str) -> str:
    only = {row.labels[category] for row in training if category in row.labels}
    return f"only {only.pop()}" if only else "in no row"
