"""A small training of the guard model, for benchmarks that ask whether something about its data helps."""

from __future__ import annotations

import tempfile
from contextlib import nullcontext
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from feedback.training.joint.net import JointNet
    from feedback.training.pipeline import Corpus


@dataclass(frozen=True)
class Small:
    """A share of the corpus: `corpus` with the other training texts left out, and rows of its test side."""

    corpus: Corpus
    rows: np.ndarray
    seed: int

    def texts(self) -> list[str]:
        """Return the texts to test on."""
        return [self.corpus.examples[row].text for row in self.rows]

    def train(self, *, augment: float = 0.0, embed: float = 0.0, weight: np.ndarray | None = None) -> JointNet:
        """Train once over the texts; `weight` [texts, categories] takes the place of the labels' own."""
        import torch

        from feedback.training import pipeline
        from feedback.training.joint.recipe import RECIPE

        targets = self.corpus.targets
        corpus = self.corpus if weight is None else replace(self.corpus, targets=replace(targets, weight=weight))
        with tempfile.TemporaryDirectory() as checkpoints:
            return pipeline.train_net(
                corpus,
                recipe=replace(RECIPE, epochs=1.0, augment=augment, embed=embed),
                seed=self.seed,
                device=torch.device("cpu"),
                checkpoints=Path(checkpoints),
                bar=lambda _stage, _total: nullcontext(lambda _done: None),
            ).net

    def average_precision(self, net: JointNet, texts: Sequence[str]) -> dict[str, float]:
        """Return it by category, for `texts` in the place of those of the rows; labels that a source gave count."""
        import torch
        from sklearn.metrics import average_precision_score

        from feedback.training.joint.recipe import RECIPE
        from feedback.training.joint.rows import category_rows
        from feedback.training.joint.tensors import category_logits
        from screening.categories import MODEL_CATEGORIES
        from workers.runtimes.encoder import load_tokenizer

        known = self.corpus.targets_of(self.rows)
        tokenizer = load_tokenizer()
        read = category_rows(texts, known, tokenizer=tokenizer, window=RECIPE.window, overlap=RECIPE.overlap)
        scores = category_logits(net, read, device=torch.device("cpu"))
        own: dict[str, float] = {}
        for column, category in enumerate(MODEL_CATEGORIES):
            use = known.weight[:, column] >= 1.0
            if known.value[use, column].sum() >= 5:
                precision = average_precision_score(known.value[use, column], scores[use, column])
                own[category] = round(float(precision), 4)
        return own


def small(data: Path, *, train: int, test: int, seed: int, threads: int) -> Small:
    """Read `train` texts of the training side and `test` of the test side of the data folder."""
    from feedback.training import pipeline

    pipeline.set_deterministic(threads)
    dice = np.random.default_rng(seed)
    corpus = pipeline.read_corpus(data, seed=seed, texts_share=0.2)
    left = dice.permutation(corpus.rows("train"))[train:]
    corpus.sides[left] = "left out"
    kept = [number for number, side in enumerate(corpus.span_sides) if side != "train" or number % 8 == 0]
    spans, sides = [corpus.spans[i] for i in kept], [corpus.span_sides[i] for i in kept]
    corpus = replace(corpus, spans=spans, span_sides=sides)
    return Small(corpus, dice.permutation(corpus.rows("test"))[:test], seed)
