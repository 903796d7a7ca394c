"""Recommended thresholds, from calibrated scores of development texts."""

from __future__ import annotations

import numpy as np

from workers.runtimes.heads import Thresholds

#: Share of benign assistant answers that may reach each threshold, in one category.
FALSE_ALARMS = {"flag": 0.002, "hold": 0.001, "block": 0.0005}
#: Where the false alarms leave room, how precise the alarms among labelled texts should be.
PRECISION = {"flag": 0.5, "hold": 0.75, "block": 0.9}
LOWEST = {"flag": 0.30, "hold": 0.50, "block": 0.70}


def recommend(scores: np.ndarray, truth: np.ndarray, benign: np.ndarray) -> Thresholds:
    """Return flag ≤ hold ≤ block for one category.

    `scores`, `truth`: of texts with a known label; `benign`: scores of benign assistant answers. Each threshold is the
    lowest, in steps of a hundredth, that keeps both the false alarms on `benign` and the precision; where no score is
    that precise, 0.99.
    """
    found = {}
    floor = 0.0
    for name in ("flag", "hold", "block"):
        floor = max(floor, LOWEST[name])
        grid = [g / 100 for g in range(round(floor * 100), 100)]
        fitting = (g for g in grid if _fits(g, scores, truth, benign, FALSE_ALARMS[name], PRECISION[name]))
        floor = found[name] = next(fitting, 0.99)
    return Thresholds(**found)


def _fits(
    at: float, scores: np.ndarray, truth: np.ndarray, benign: np.ndarray, alarms: float, precision: float
) -> bool:
    if len(benign) and (benign >= at).mean() > alarms:
        return False
    reached = scores >= at
    return not reached.any() or float(truth[reached].mean()) >= precision
