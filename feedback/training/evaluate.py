"""Measure scores against labels: ranking, decisions, reliability, false alarms, with bootstrap intervals."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

RESAMPLES = 300


@dataclass(frozen=True)
class Interval:
    """A figure and the 2.5 and 97.5 percentiles of its bootstrap over texts."""

    value: float
    low: float
    high: float

    def __str__(self) -> str:
        return f"{self.value:.3f} ({self.low:.3f}–{self.high:.3f})"


@dataclass(frozen=True)
class Result:
    """One category on texts whose label is known. `ap`, `auroc` are None with fewer than five of either side."""

    known: int
    positive: int
    ap: Interval | None
    auroc: float | None
    f1: float | None
    ece: float | None


def measure(scores: np.ndarray, value: np.ndarray, weight: np.ndarray, *, threshold: float, seed: int) -> Result:
    """Return the figures of one category at `threshold`, over texts labelled for it (weight 1)."""
    known = weight >= 1.0
    s, y = scores[known], value[known].astype(bool)
    positive = int(y.sum())
    if min(positive, len(y) - positive) < 5:
        return Result(len(y), positive, None, None, None, None)
    return Result(len(y), positive, bootstrap_ap(s, y, seed=seed), auroc(s, y), f1(s >= threshold, y), ece(s, y))


def average_precision(scores: np.ndarray, truth: np.ndarray) -> float:
    """Return the area under precision over recall, ties counted together."""
    order = np.argsort(-scores, kind="stable")
    ranked, sorted_scores = truth[order], scores[order]
    last = np.flatnonzero(np.append(np.diff(sorted_scores) != 0, True))
    hits = np.cumsum(ranked)[last]
    precision = hits / (last + 1)
    recall_steps = np.diff(np.concatenate([[0], hits])) / max(1, truth.sum())
    return float((precision * recall_steps).sum())


def auroc(scores: np.ndarray, truth: np.ndarray) -> float:
    """Return the chance that a positive text scores above a negative one, ties counted half."""
    _, inverse, counts = np.unique(scores, return_inverse=True, return_counts=True)
    ranks = (np.cumsum(counts) - (counts - 1) / 2)[inverse]
    positive = int(truth.sum())
    negative = len(truth) - positive
    return float((ranks[truth].sum() - positive * (positive + 1) / 2) / (positive * negative))


def f1(predicted: np.ndarray, truth: np.ndarray) -> float:
    hits = int((predicted & truth).sum())
    return 2 * hits / max(1, int(predicted.sum()) + int(truth.sum()))


def ece(scores: np.ndarray, truth: np.ndarray, *, bins: int = 10) -> float:
    """Return the expected calibration error: mean distance of score and frequency over `bins` equal-sized bins."""
    order = np.argsort(scores, kind="stable")
    parts = np.array_split(order, bins)
    return float(sum(len(p) * abs(scores[p].mean() - truth[p].mean()) for p in parts if len(p)) / len(scores))


def bootstrap_ap(scores: np.ndarray, truth: np.ndarray, *, seed: int) -> Interval:
    chance = np.random.default_rng(seed)
    values = []
    for _resample in range(RESAMPLES):
        draw = chance.integers(0, len(truth), len(truth))
        if truth[draw].any():
            values.append(average_precision(scores[draw], truth[draw]))
    low, high = np.percentile(values, [2.5, 97.5])
    return Interval(average_precision(scores, truth), float(low), float(high))
