"""Ask a model about rows: any guard model or configured classifier, in batches, with progress."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from feedback.evaluation.rows import Row
from feedback.selectors import CATEGORIES
from screening.detectors.base import GuardModel
from screening.detectors.served import ModelMissing
from screening.findings import Span
from screening.models_file import SETTING, configured_models
from workers.classifiers import load_classifier
from workers.model import load_model
from workers.runtimes.heads import Thresholds

#: Texts that a model gets at once; it makes batches of its own by length.
CHUNK = 256
#: Where a model ships no thresholds.
DEFAULT_THRESHOLD = 0.5


@dataclass(frozen=True)
class Scored:
    """What a model says of rows: `scores` [rows, categories], `spans` of each row, and whether it was `read` [rows].

    `thresholds`: the score from which it flags, for each category. `entities`: the labels that its spans may have.
    """

    name: str
    version: str
    categories: tuple[str, ...]
    entities: tuple[str, ...]
    thresholds: dict[str, float]
    scores: np.ndarray
    spans: Sequence[tuple[Span, ...]]
    read: np.ndarray


def open_model(source: str, device: str = "auto") -> GuardModel:
    """Return the model that `source` names: "active" for the one that this installation's workers serve, "default" for
    the one that ships, a model folder, or a classifier of the models file.

    Raise ModelUnavailable, ModelMissing or ModelsFileError, each with what to do.
    """
    if source == "active":
        return load_model(os.environ.get("COUNTERSIGN_GUARD_MODEL", ""), device)
    if source in ("default", "fake") or Path(source).expanduser().is_dir():
        return load_model(source, device)
    try:
        return load_classifier(source)
    except ModelMissing:
        known = ", ".join(configured_models().classifiers) or "none"
        file = f"the models file has these classifiers: {known}" if os.environ.get(SETTING) else f"{SETTING} is not set"
        raise ModelMissing(f'{source} is no folder, and {file}. Or say "active" or "default".') from None


def score(model: GuardModel, rows: Sequence[Row], *, name: str, progress: Callable[[int], object]) -> Scored:
    """Return what `model` says of the texts of `rows`; `progress` is called with the number of texts just read."""
    # A guard model names its entities and thresholds; a token classifier has entities for categories, and neither.
    entities = getattr(model, "entities", ()) or tuple(c for c in model.categories if c not in CATEGORIES)
    shipped: Mapping[str, Thresholds] = getattr(model, "thresholds", {})
    categories = tuple(c for c in model.categories if c in CATEGORIES)
    scores = np.full((len(rows), len(categories)), np.nan)
    spans: list[tuple[Span, ...]] = [()] * len(rows)
    read = np.zeros(len(rows), dtype=bool)
    # Neighbours of like length waste least; the longest come first, so that the bar's estimate errs on the safe side.
    order = sorted(range(len(rows)), key=lambda i: -len(rows[i].text))
    for start in range(0, len(order), CHUNK):
        chunk = order[start : start + CHUNK]
        for i, prediction in zip(chunk, model.predict([rows[i].text for i in chunk]), strict=True):
            if not prediction.unscanned:
                scores[i] = [prediction.scores.get(c, np.nan) for c in categories]
                spans[i], read[i] = prediction.spans or (), True
        progress(len(chunk))
    thresholds = {c: shipped[c].flag if c in shipped else DEFAULT_THRESHOLD for c in categories}
    return Scored(name, model.version, categories, entities, thresholds, scores, spans, read)
