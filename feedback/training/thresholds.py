"""Recommended thresholds, from calibrated scores of development texts.

Thresholds chosen on some texts do worse on others, and most on those of another template. So benign answers count with
more than their score, by a margin in logits: the smallest at which thresholds chosen without some templates keep the
promise on them.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from workers.runtimes.heads import Thresholds

#: Share of benign assistant answers, with the margin, that may reach a threshold of any category.
ANY_ALARM = {"flag": 0.005, "hold": 0.0025, "block": 0.001}
#: How precise the alarms among labelled texts should be.
PRECISION = {"flag": 0.5, "hold": 0.75, "block": 0.9}
LOWEST = {"flag": 0.30, "hold": 0.50, "block": 0.70}
GRID = np.arange(30, 100) / 100
#: Tried in this order, in logits.
MARGINS = (0.0, 0.25, 0.5, 0.75, 1.0, 1.25, 1.5, 2.0, 3.0)
FOLDS = 5
#: Share of benign answers of templates left out that may reach a flag: what is promised.
LEFT_OUT_ALARM = 0.01


@dataclass(frozen=True)
class Choice:
    """What each usable threshold means for one category: recall [grid], and alarms on benign texts [grid, texts]."""

    grid: np.ndarray
    recall: np.ndarray
    alarms: np.ndarray


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
class Recommendation:
    """`thresholds` of each category; `margin` in logits; `left_out`: alarms on benign answers of templates left out."""

    thresholds: list[Thresholds]
    margin: float
    left_out: float


def recommend(scored: Scored, *, seed: int) -> Recommendation:
    """Return flag ≤ hold ≤ block for each category, in hundredths.

    Of the benign answers, raised by the margin, at most the share ANY_ALARM reaches a threshold of any category, and
    alarms on labelled texts are as precise as PRECISION; a category in which no threshold does gets 0.99.
    """
    for margin in MARGINS:
        left_out = _left_out_alarm(scored, margin, seed)
        if left_out <= LEFT_OUT_ALARM:
            break
    found: dict[str, np.ndarray] = {}
    floor = np.zeros(scored.scores.shape[1])
    for name in ("flag", "hold", "block"):
        floor = found[name] = _thresholds(scored, name, floor, margin)
    each = zip(*found.values(), strict=True)
    return Recommendation(
        [Thresholds(flag=float(f), hold=float(h), block=float(b)) for f, h, b in each], margin, left_out
    )


def _left_out_alarm(scored: Scored, margin: float, seed: int) -> float:
    """Return the share of benign answers that reach a flag which was chosen without their group."""
    names, place = np.unique(scored.groups, return_inverse=True)
    fold = np.random.default_rng(seed).integers(FOLDS, size=len(names))[place]
    alarms = 0
    for number in range(FOLDS):
        flags = _thresholds(scored.of(fold != number), "flag", np.zeros(scored.scores.shape[1]), margin)
        left = scored.of((fold == number) & scored.benign)
        alarms += int((left.scores >= flags).any(axis=1).sum())
    return alarms / max(1, int(scored.benign.sum()))


def _thresholds(scored: Scored, name: str, floor: np.ndarray, margin: float) -> np.ndarray:
    choices = [
        _choice(scored, column, max(floor[column], LOWEST[name]), PRECISION[name], margin)
        for column in range(scored.scores.shape[1])
    ]
    return _spend(choices, round(ANY_ALARM[name] * int(scored.benign.sum())))


def _choice(scored: Scored, column: int, lowest: float, precision: float, margin: float) -> Choice:
    known = scored.weight[:, column] >= 1.0
    scores, truth = scored.scores[known, column], scored.value[known, column].astype(bool)
    reached = scores[None, :] >= GRID[:, None]
    hits = (reached & truth).sum(axis=1)
    usable = (hits >= precision * reached.sum(axis=1)) & (lowest - 1e-9 <= GRID)
    usable[-1] = True
    # A score that is higher by the margin in logits reaches what the score itself reaches lower down.
    lowered = GRID / (GRID + (1 - GRID) * np.exp(margin))
    alarms = scored.scores[scored.benign, column][None, :] >= lowered[:, None]
    return Choice(GRID[usable], hits[usable] / max(1, int(truth.sum())), alarms[usable])


def _spend(choices: list[Choice], budget: int) -> np.ndarray:
    """Return a threshold each, such that at most `budget` benign texts reach any.

    Starts at the lowest and raises, again and again, the one that rids of most alarms for the recall it gives up; then
    lowers what was raised without need. Ends at the highest of all when nothing else fits.
    """
    at = [0] * len(choices)
    while _texts(choices, at) > budget:
        trials = [
            [*at[:c], up, *at[c + 1 :]] for c, own in enumerate(choices) for up in range(at[c] + 1, len(own.grid))
        ]
        if not trials:
            break
        at = max(trials, key=lambda trial: (_cost(choices, at) - _cost(choices, trial)) / _lost(choices, at, trial))
    for c in range(len(choices)):
        while at[c] and _texts(choices, lower := [*at[:c], at[c] - 1, *at[c + 1 :]]) <= budget:
            at = lower
    return np.array([choice.grid[i] for choice, i in zip(choices, at, strict=True)])


def _texts(choices: list[Choice], at: list[int]) -> int:
    return int(np.any([choice.alarms[i] for choice, i in zip(choices, at, strict=True)], axis=0).sum())


def _cost(choices: list[Choice], at: list[int]) -> float:
    # A text that two categories reach needs both raised: the first of the two steps must count for something.
    alarms = sum(int(choice.alarms[i].sum()) for choice, i in zip(choices, at, strict=True))
    return _texts(choices, at) + 0.3 * alarms


def _lost(choices: list[Choice], before: list[int], after: list[int]) -> float:
    lost = sum(choice.recall[i] - choice.recall[j] for choice, i, j in zip(choices, before, after, strict=True))
    return float(lost) + 1e-3
