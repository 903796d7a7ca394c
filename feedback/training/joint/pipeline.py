"""From the data folder to adapters and heads: what `manage.py train` runs."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from feedback.training.data import split
from feedback.training.joint.loop import train
from feedback.training.joint.net import JointNet
from feedback.training.joint.recipe import JointRecipe
from feedback.training.joint.rows import Rows, category_rows, joined, span_rows
from feedback.training.joint.tensors import category_logits
from feedback.training.labels import Targets
from feedback.training.pipeline import Bar, Corpus
from feedback.training.spans import SpanExample
from workers.runtimes.windows import WindowTokenizer


@dataclass(frozen=True)
class SpanCorpus:
    """Texts with spans, and the side of each."""

    examples: list[SpanExample]
    sides: np.ndarray

    def on(self, side: str) -> list[SpanExample]:
        return [e for e, own in zip(self.examples, self.sides.tolist(), strict=True) if own == side]


def span_corpus(examples: list[SpanExample], *, seed: int) -> SpanCorpus:
    return SpanCorpus(examples, np.array(split(examples, seed=seed)))


def training_rows(corpus: Corpus, spans: SpanCorpus, *, tokenizer: WindowTokenizer, recipe: JointRecipe) -> Rows:
    """Return the train side of both."""
    rows = rows_of(corpus, corpus.rows("train"), tokenizer=tokenizer, recipe=recipe)
    own = span_rows(spans.on("train"), tokenizer=tokenizer, window=recipe.window, overlap=recipe.overlap)
    return joined(rows, own)


def rows_of(corpus: Corpus, which: np.ndarray, *, tokenizer: WindowTokenizer, recipe: JointRecipe) -> Rows:
    """Return the texts `which` of `corpus`, in that order."""
    targets = Targets(corpus.targets.value[which], corpus.targets.weight[which], corpus.targets.some[which])
    texts = [corpus.examples[i].text for i in which]
    return category_rows(texts, targets, tokenizer=tokenizer, window=recipe.window, overlap=recipe.overlap)


def train_net(rows: Rows, *, recipe: JointRecipe, seed: int, device: torch.device, folder: Path, bar: Bar) -> JointNet:
    """Train, showing batches, and round what was trained to what will be stored."""
    shown = 0
    with bar("train", 0) as done:

        def progress(batch: int, total: int, loss: float) -> None:
            nonlocal shown
            done(batch - shown)
            shown = batch

        net = train(rows, recipe=recipe, seed=seed, device=device, folder=folder, progress=progress)
    with torch.no_grad():
        for tensor in net.trained().values():
            tensor.copy_(tensor.half().float())
    return net


def score(net: JointNet, rows: Rows, *, device: torch.device, bar: Bar) -> np.ndarray:
    """Return category logits of `rows`."""
    with bar("score", len(rows)) as done:
        return category_logits(net, rows, device=device, progress=done)
