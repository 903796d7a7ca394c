"""Figures of scores against labels, each with its bootstrap interval over texts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

RESAMPLES = 200
BINS = 10
#: Fewer texts of either label say nothing about a ranking.
ENOUGH = 5


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
    if min(positive, len(y) - positive) < ENOUGH:
        return Result(len(y), positive, None, None, None, None)
    ranked = Ranked(s, y, threshold=threshold)
    found = ranked.figures(np.ones(len(y)))
    again = [ranked.figures(w)["ap"] for w in draws(len(y), seed=seed)]
    return Result(len(y), positive, interval(found["ap"], again), found["auroc"], found["f1"], found["ece"])


class Ranked:
    """The scores and labels of one category, sorted once so that each resample takes only sums.

    A text counts as often as `weights` says, where given.
    """

    def __init__(
        self, scores: np.ndarray, truth: np.ndarray, *, threshold: float, weights: np.ndarray | None = None
    ) -> None:
        order = np.argsort(-scores, kind="stable")
        self._order = order
        self._scores, self._truth = scores[order], truth[order].astype(bool)
        self._weights = np.ones(len(order)) if weights is None else weights[order]
        self._last = np.flatnonzero(np.append(np.diff(self._scores) != 0, True))
        self._reached = self._scores >= threshold
        self._bins = _bins(self._last)

    def figures(self, weights: np.ndarray) -> dict[str, float]:
        """Return ap, auroc, precision, recall, f1 and ece with text i drawn `weights[i]` times; NaN if undefined."""
        w = weights[self._order] * self._weights
        hit = w * self._truth
        positive, total = hit.sum(), w.sum()
        if not 0 < positive < total:
            return dict.fromkeys(("ap", "auroc", "precision", "recall", "f1", "ece"), float("nan"))
        hits, seen = np.cumsum(hit)[self._last], np.cumsum(w)[self._last]
        precision = hits / np.maximum(seen, 1e-12)
        own = np.diff(hits, prepend=0.0)
        false = np.diff(seen - hits, prepend=0.0)
        below = (total - positive) - np.cumsum(false)
        called, right = (w * self._reached).sum(), (hit * self._reached).sum()
        return {
            "ap": float((precision * own).sum() / positive),
            "auroc": float((own * (below + false / 2)).sum() / (positive * (total - positive))),
            "precision": float(right / called) if called else float("nan"),
            "recall": float(right / positive),
            "f1": float(2 * right / (called + positive)),
            "ece": float(self._gaps(w, hit).sum() / total),
        }

    def reliability(self) -> list[tuple[float, float, int]]:
        """Return (mean score, share of positives, texts) of each bin of about equally many texts, from the lowest."""
        bins = [own for b in reversed(range(BINS)) if (own := self._bins == b).any()]
        return [(self._mean(self._scores, own), self._mean(self._truth, own), int(own.sum())) for own in bins]

    def curve(self) -> tuple[np.ndarray, np.ndarray]:
        """Return recall from 0 on and precision at each distinct score, from the highest.

        A precision is that of all recall down to the one before, as the area counts it: draw steps to the left.
        """
        hits = np.cumsum(self._weights * self._truth)[self._last]
        precision = hits / np.cumsum(self._weights)[self._last]
        return np.append(0.0, hits / (hits[-1] or 1.0)), np.append(precision[0], precision)

    def _mean(self, values: np.ndarray, which: np.ndarray) -> float:
        return float(np.average(values[which], weights=self._weights[which]))

    def _gaps(self, w: np.ndarray, hit: np.ndarray) -> np.ndarray:
        scored = np.bincount(self._bins, w * self._scores, minlength=BINS)
        return np.asarray(np.abs(scored - np.bincount(self._bins, hit, minlength=BINS)))


def _bins(last: np.ndarray) -> np.ndarray:
    """Return for each of the sorted scores its bin, from the place of the `last` text of each score.

    Bins have as equal counts as can be with each score whole in one: which texts of a score come first is chance.
    """
    texts = np.arange(last[-1] + 1)
    ends = [part[-1] for part in np.array_split(texts, BINS) if len(part)]
    return np.searchsorted(last[np.searchsorted(last, ends)], texts)


def draws(texts: int, *, seed: int, resamples: int = RESAMPLES) -> np.ndarray:
    """Return how often each text is drawn [resamples, texts]; the same for the same seed, so that models compare."""
    chance = np.random.default_rng(seed)
    counts = [np.bincount(chance.integers(0, texts, texts), minlength=texts) for _ in range(resamples)]
    return np.array(counts, dtype=np.uint16).reshape(resamples, texts)


def interval(value: float, again: np.ndarray | list[float]) -> Interval:
    """Return `value` with the middle 95 % of its resampled values; those that are undefined are left out."""
    values = np.asarray(again, dtype=float)
    values = values[~np.isnan(values)]
    if not len(values):
        return Interval(value, float("nan"), float("nan"))
    low, high = np.percentile(values, [2.5, 97.5])
    return Interval(value, float(low), float(high))


def intervals(ranked: Ranked, weights: np.ndarray) -> tuple[dict[str, Interval], Mapping[str, np.ndarray]]:
    """Return each figure with its interval, and its value in every resample; `weights` [resamples, texts]."""
    found = ranked.figures(np.ones(weights.shape[1]))
    rows = [ranked.figures(w) for w in weights.astype(float)]
    again = {name: np.array([row[name] for row in rows]) for name in found}
    return {name: interval(value, again[name]) for name, value in found.items()}, again


def average_precision(scores: np.ndarray, truth: np.ndarray) -> float:
    """Return the area under precision over recall, ties counted together."""
    return Ranked(scores, truth, threshold=0.5).figures(np.ones(len(scores)))["ap"]


def auroc(scores: np.ndarray, truth: np.ndarray) -> float:
    """Return the chance that a positive text scores above a negative one, ties counted half."""
    return Ranked(scores, truth, threshold=0.5).figures(np.ones(len(scores)))["auroc"]


def ece(scores: np.ndarray, truth: np.ndarray) -> float:
    """Return the expected calibration error: mean distance of score and frequency over BINS bins of like size."""
    return Ranked(scores, truth, threshold=0.5).figures(np.ones(len(scores)))["ece"]
