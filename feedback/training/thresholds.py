"""Recommended thresholds, from calibrated scores of development texts."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from workers.runtimes.heads import Thresholds

#: Share of benign assistant answers that may reach a threshold of any category. Less than the promise of 1 % for flags,
#: because thresholds chosen on some texts do a little worse on others.
ANY_ALARM = {"flag": 0.005, "hold": 0.0025, "block": 0.001}
#: How precise the alarms among labelled texts should be.
PRECISION = {"flag": 0.5, "hold": 0.75, "block": 0.9}
LOWEST = {"flag": 0.30, "hold": 0.50, "block": 0.70}
GRID = np.arange(30, 100) / 100


@dataclass(frozen=True)
class Choice:
    """What each usable threshold means for one category: recall [grid], and alarms on benign texts [grid, texts]."""

    grid: np.ndarray
    recall: np.ndarray
    alarms: np.ndarray


def recommend(scores: np.ndarray, value: np.ndarray, weight: np.ndarray, benign: np.ndarray) -> list[Thresholds]:
    """Return flag ≤ hold ≤ block for each column of `scores`, in hundredths.

    `value`, `weight` as in Targets; `benign`: which rows are benign assistant answers. Of these, at most the share
    ANY_ALARM reaches a threshold of any category, and alarms on labelled texts are as precise as PRECISION; a category
    in which no threshold does gets 0.99.
    """
    found: dict[str, np.ndarray] = {}
    floor = np.zeros(scores.shape[1])
    for name in ("flag", "hold", "block"):
        choices = [
            _choice(
                scores[:, c], value[:, c], weight[:, c] >= 1.0, benign, max(floor[c], LOWEST[name]), PRECISION[name]
            )
            for c in range(scores.shape[1])
        ]
        floor = found[name] = _spend(choices, round(ANY_ALARM[name] * int(benign.sum())))
    return [Thresholds(flag=float(f), hold=float(h), block=float(b)) for f, h, b in zip(*found.values(), strict=True)]


def _choice(
    scores: np.ndarray, value: np.ndarray, known: np.ndarray, benign: np.ndarray, lowest: float, precision: float
) -> Choice:
    reached = scores[known][None, :] >= GRID[:, None]
    truth = value[known].astype(bool)
    hits = (reached & truth).sum(axis=1)
    usable = (hits >= precision * reached.sum(axis=1)) & (lowest - 1e-9 <= GRID)
    usable[-1] = True
    alarms = scores[benign][None, :] >= GRID[:, None]
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
