"""From logits to probabilities: Platt scaling a category."""

from __future__ import annotations

import numpy as np

from feedback.training.labels import WEAK, Targets
from screening.categories import MODEL_CATEGORIES
from workers.runtimes.heads import Calibration


def calibrate_all(logits: np.ndarray, targets: Targets) -> dict[str, Calibration]:
    """Return the calibration of every category, from logits [texts, categories] of texts not trained on."""
    found = {}
    for column, category in enumerate(MODEL_CATEGORIES):
        scale, shift = calibrate(logits[:, column], targets.value[:, column], targets.weight[:, column])
        found[category] = Calibration(scale=round(scale, 6), shift=round(shift, 6))
    return found


def calibrated(logits: np.ndarray, calibration: dict[str, Calibration]) -> np.ndarray:
    """Return probabilities of logits [texts, categories]."""
    scale = np.array([calibration[c].scale for c in MODEL_CATEGORIES])
    shift = np.array([calibration[c].shift for c in MODEL_CATEGORIES])
    return np.asarray(1 / (1 + np.exp(-(scale * logits + shift))))


def calibrate(logits: np.ndarray, value: np.ndarray, weight: np.ndarray) -> tuple[float, float]:
    """Return Platt's (scale, shift) of one category, fitted on the texts whose label is known or likely, by weight.

    Likely ones bring in ordinary texts: the texts labelled for a rare category are mostly prompts made to provoke it,
    and a score fitted on those alone is near 1 for anything of that topic. With fewer than five examples of either
    side there is nothing to fit: (1, 0). The scale stays within 0.2 and 3, so that a category that happens to separate
    perfectly here does not answer 0 or 1 to everything.
    """
    known = weight >= WEAK
    x, y, w = logits[known], value[known], weight[known]
    if min(y.sum(), len(y) - y.sum()) < 5:
        return 1.0, 0.0
    design = np.stack([x, np.ones_like(x)], axis=1)
    prior, start = np.diag([1.0, 0.1]), np.array([1.0, 0.0])
    best = start.copy()
    for _iteration in range(50):
        p = 1 / (1 + np.exp(-np.clip(design @ best, -30, 30)))
        gradient = design.T @ (w * (p - y)) + prior @ (best - start)
        hessian = (design * (w * p * (1 - p))[:, None]).T @ design + prior
        step = np.linalg.solve(hessian, gradient)
        best = best - np.clip(step, -1.0, 1.0)
        if np.abs(step).max() < 1e-8:
            break
    return float(np.clip(best[0], 0.2, 3.0)), float(np.clip(best[1], -8.0, 8.0))
