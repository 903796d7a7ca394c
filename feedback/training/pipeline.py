"""From the data folder to a heads folder: what `manage.py train` runs."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from feedback.training import fit as fitting
from feedback.training.data import Example, prepare, read_moderation, split
from feedback.training.features import Features, Spec, encode
from feedback.training.fit import Prepared, Recipe, prepare_features
from feedback.training.grammar import generate
from feedback.training.labels import Targets, targets
from feedback.training.lexicon import Lexicon
from feedback.training.thresholds import recommend
from feedback.training.writer import write_heads
from screening.categories import MODEL_CATEGORIES
from workers.runtimes.encoder import Encoder
from workers.runtimes.heads import Calibration, Heads, HeadsConfig, Thresholds

MODERATION, LEXICON = "moderation_train.jsonl.gz", "lexicon_profanity_en.csv"


#: A progress bar for one stage: `with bar("encode", 100) as done: done(5)`.
Bar = Callable[[str, int], AbstractContextManager[Callable[[int], object]]]


@dataclass(frozen=True)
class Corpus:
    """Everything the heads are fitted and measured on, row by row."""

    examples: list[Example]
    targets: Targets
    sides: np.ndarray

    def rows(self, side: str) -> np.ndarray:
        return np.flatnonzero(self.sides == side)

    def benign_answers(self, rows: np.ndarray) -> np.ndarray:
        """Return which of `rows` are answers that must raise no alarm: called safe by their source, and not foul.

        DiaSafety judges an answer by what it answers to, and calls some safe that are full of strong language.
        """
        foul = self.targets.value[rows, MODEL_CATEGORIES.index("profanity")] > 0
        answers = [self.examples[i].kind == "response" and self.examples[i].flag == 0 for i in rows]
        return np.asarray(np.array(answers, dtype=bool) & ~foul)


@dataclass(frozen=True)
class Trained:
    """Fitted heads with calibrated scores of every row of `rows` (calibration and test)."""

    heads: Heads
    calibration: dict[str, Calibration]
    thresholds: dict[str, Thresholds]
    rows: np.ndarray
    scores: np.ndarray


def read_corpus(data: Path, *, seed: int, texts_share: float = 1.0) -> Corpus:
    """Read the data folder and add our own texts. Raise OSError or ValueError when a file is missing or is no such."""
    examples = prepare(read_moderation(data / MODERATION), seed=seed) + generate(seed=seed, share=texts_share)
    lexicon = Lexicon.read(data / LEXICON) if (data / LEXICON).exists() else None
    return Corpus(examples, targets(examples, lexicon), np.array(split(examples, seed=seed)))


def encode_corpus(corpus: Corpus, *, spec: Spec, cache: Path, device: str, bar: Bar) -> Prepared:
    """Return features of all texts, from the cache where it has them."""
    texts = [e.text for e in corpus.examples]
    with bar("encode", len(texts)) as done:
        features: Features = encode(texts, encoder=Encoder(device=device), spec=spec, cache=cache, progress=done)
    return prepare_features(features)


def train(corpus: Corpus, data: Prepared, *, spec: Spec, recipe: Recipe, seed: int, bar: Bar) -> Trained:
    """Fit on "train", calibrate and choose thresholds on "calibration", score "calibration" and "test"."""
    train_rows = corpus.rows("train")
    heads = fit_rows(corpus, data, train_rows, spec=spec, recipe=recipe, seed=seed, bar=bar)
    rows = np.concatenate([corpus.rows("calibration"), corpus.rows("test")])
    logits = fitting.predict_logits(heads, data, rows)
    first = slice(0, len(corpus.rows("calibration")))
    value, weight = corpus.targets.value[rows], corpus.targets.weight[rows]
    calibration, scores = {}, np.empty_like(logits)
    for column, category in enumerate(MODEL_CATEGORIES):
        scale, shift = fitting.calibrate(logits[first, column], value[first, column], weight[first, column])
        calibration[category] = Calibration(scale=round(scale, 6), shift=round(shift, 6))
        scores[:, column] = 1 / (1 + np.exp(-(scale * logits[:, column] + shift)))
    benign = corpus.benign_answers(rows[first])
    limits = recommend(scores[first], value[first], weight[first], benign)
    thresholds = dict(zip(MODEL_CATEGORIES, limits, strict=True))
    return Trained(heads, calibration, thresholds, rows, scores)


def fit_rows(
    corpus: Corpus, data: Prepared, rows: np.ndarray, *, spec: Spec, recipe: Recipe, seed: int, bar: Bar
) -> Heads:
    with bar("fit", fitting.steps(len(rows), recipe)) as done:
        return fitting.fit(
            data, corpus.targets, rows, layers=len(spec.layers), recipe=recipe, seed=seed, progress=lambda: done(1)
        )


def save(folder: Path, trained: Trained, *, spec: Spec) -> HeadsConfig:
    return write_heads(
        folder,
        trained.heads,
        name=folder.name,
        spec=spec,
        calibration=trained.calibration,
        thresholds=trained.thresholds,
    )


def set_deterministic(threads: int) -> None:
    """Make torch repeatable: the same data, seed and thread count give the same bytes."""
    torch.set_num_threads(threads)
    torch.use_deterministic_algorithms(True)
