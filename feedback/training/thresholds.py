"""Recommended thresholds, from calibrated scores of development texts.

A category's threshold is the one that is worth most: the logarithm of its recall, so that no category falls silent for
the others, less a price on the share of benign answers that reach it. So few do that counting them would be choosing by
single texts: a benign answer counts for a threshold as far as its score, blurred in logits, reaches it, and each
category also answers for some of the alarms of the others. The price is the lowest at which thresholds that were chosen
without some templates keep the promise on those. There are two promises: a quiet one, for `flag`, from which the dearer
`hold` and `block` follow, and a watchful one, for those who would rather see too much.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from workers.runtimes.heads import Thresholds

#: What a benign answer costs that reaches it, in prices of its own promise or, where there is none, of that of `flag`.
PRICE = {"watch": 1, "flag": 1, "hold": 4, "block": 16}
#: How precise the alarms among labelled texts should be.
PRECISION = {"watch": 0.25, "flag": 0.5, "hold": 0.75, "block": 0.9}
LOWEST = {"watch": 0.05, "flag": 0.30, "hold": 0.50, "block": 0.70}
GRID = np.arange(5, 100) / 100
#: Tried in this order: how much of the logarithm of a recall all benign answers are worth.
PRICES = np.geomspace(1, 2000, 60).round(1)
#: Width in logits of what a benign score counts as, and the share of alarms taken from the mean of all categories.
BLUR, POOLED = 0.5, 0.25
FOLDS, ROUNDS = 5, 4
#: Share of benign answers of templates left out that may reach it, with a standard error: what is promised.
LEFT_OUT_ALARM = {"watch": 0.05, "flag": 0.01}


@dataclass(frozen=True)
class Scored:
    """Calibrated scores [texts, categories] of development texts.

    `value`, `weight` as in Targets; `benign` [texts]: which are benign assistant answers; `groups` [texts]: what was
    written alike, for example from one template.
    """

    scores: np.ndarray
    value: np.ndarray
    weight: np.ndarray
    benign: np.ndarray
    groups: np.ndarray

    def of(self, rows: np.ndarray) -> Scored:
        return Scored(self.scores[rows], self.value[rows], self.weight[rows], self.benign[rows], self.groups[rows])


@dataclass(frozen=True)
class Curves:
    """What each threshold of GRID means: recall, precision and benign answers that reach it, all [categories, grid]."""

    recall: np.ndarray
    precision: np.ndarray
    alarms: np.ndarray


@dataclass(frozen=True)
class Promise:
    """`left_out`: share of benign answers of templates left out that reach a threshold; `error`: its standard error."""

    price: float
    left_out: float
    error: float


@dataclass(frozen=True)
class Recommendation:
    """`promises`: how each of LEFT_OUT_ALARM is kept."""

    thresholds: list[Thresholds]
    promises: dict[str, Promise]


def recommend(scored: Scored, *, seed: int) -> Recommendation:
    """Return watch ≤ flag ≤ hold ≤ block for each category, in hundredths.

    Alarms on labelled texts are as precise as PRECISION; a category in which no threshold is so gets 0.99.
    """
    splits = [split for number in range(ROUNDS) for split in _splits(scored, seed + number)]
    promises = {name: _promise(scored, splits, name) for name in LEFT_OUT_ALARM}
    curves, at = _curves(scored), np.zeros(scored.scores.shape[1])
    found = {}
    for name in PRICE:
        found[name] = at = _thresholds(curves, name, promises.get(name, promises["flag"]).price, at)
    columns = range(scored.scores.shape[1])
    thresholds = [Thresholds(**{name: float(limit[column]) for name, limit in found.items()}) for column in columns]
    return Recommendation(thresholds, promises)


def _promise(scored: Scored, splits: list[tuple[Curves, np.ndarray]], name: str) -> Promise:
    for price in PRICES:
        left_out, error = _left_out_alarm(scored, splits, name, price)
        if left_out + error <= LEFT_OUT_ALARM[name]:
            break
    return Promise(float(price), left_out, error)


def _splits(scored: Scored, seed: int) -> list[tuple[Curves, np.ndarray]]:
    """Return for each fold of the groups the curves without it, and which texts it holds."""
    names, place = np.unique(scored.groups, return_inverse=True)
    fold = np.random.default_rng(seed).integers(FOLDS, size=len(names))[place]
    return [(_curves(scored.of(fold != number)), fold == number) for number in range(FOLDS)]


def _left_out_alarm(
    scored: Scored, splits: list[tuple[Curves, np.ndarray]], name: str, price: float
) -> tuple[float, float]:
    """Return the share of benign answers that reach a threshold chosen without their group, and its standard error."""
    reached = np.zeros(len(scored.scores))
    for curves, left in splits:
        limits = _thresholds(curves, name, price, np.zeros(scored.scores.shape[1]))
        reached[left] += (scored.scores[left] >= limits).any(axis=1) / ROUNDS
    reached, count = reached[scored.benign], max(1, int(scored.benign.sum()))
    share = reached.sum() / count
    # Texts of one group are alike: what varies from sample to sample is groups.
    _names, place = np.unique(scored.groups[scored.benign], return_inverse=True)
    error = np.sqrt((np.bincount(place, reached - share) ** 2).sum()) / count
    return float(share), float(error)


def _curves(scored: Scored) -> Curves:
    rows = [_labelled(scored, column) for column in range(scored.scores.shape[1])]
    benign = _odds(scored.scores[scored.benign])[:, :, None]
    alarms = (1 / (1 + (_odds(GRID) / benign) ** (1 / BLUR))).sum(axis=0) / max(1, len(benign))
    pooled = POOLED * alarms.mean(axis=0) + (1 - POOLED) * alarms
    return Curves(np.array([recall for recall, _ in rows]), np.array([precision for _, precision in rows]), pooled)


def _odds(share: np.ndarray) -> np.ndarray:
    within = np.clip(share, 1e-6, 1 - 1e-6)
    return np.asarray(within / (1 - within))


def _labelled(scored: Scored, column: int) -> tuple[np.ndarray, np.ndarray]:
    known = scored.weight[:, column] >= 1.0
    scores, truth = scored.scores[known, column], scored.value[known, column].astype(bool)
    reached = scores >= GRID[:, None]
    hits = (reached & truth).sum(axis=1)
    return hits / max(1, truth.sum()), hits / np.maximum(1, reached.sum(axis=1))


def _thresholds(curves: Curves, name: str, price: float, lowest: np.ndarray) -> np.ndarray:
    worth = np.log(curves.recall + 0.02) - price * PRICE[name] * curves.alarms
    usable = (curves.precision >= PRECISION[name]) & (np.maximum(lowest, LOWEST[name])[:, None] <= GRID)
    usable[:, -1] = True
    return np.asarray(GRID[np.where(usable, worth, -np.inf).argmax(axis=1)])
