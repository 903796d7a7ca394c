"""A training run of the joint model that is small enough for a test; as a program it stops for a kill in its middle."""

from __future__ import annotations

import sys
import warnings
from pathlib import Path

import torch

from feedback.training.grammar import generate
from feedback.training.joint.loop import Progress, Resumed, checkpoint_path, train
from feedback.training.joint.net import JointNet
from feedback.training.joint.recipe import JointRecipe
from feedback.training.joint.rows import Rows, category_rows, joined, span_rows
from feedback.training.labels import targets
from feedback.training.spans import SpanExample, TextSpan
from workers.runtimes.encoder import load_tokenizer

RECIPE = JointRecipe(epochs=1, budget=256, window=32, overlap=8, hidden=8, token_hidden=8, rank=2, save_every=3)
CPU = torch.device("cpu")
PLACES = ("Leeds", "Bergen", "Kyoto", "Lima")


def rows(recipe: JointRecipe = RECIPE) -> Rows:
    """Return a few texts of our own with categories, and a few with spans."""
    examples = generate(seed=1, share=0.002)[:24]
    spans = [
        SpanExample(f"s:{i}", "posts", "fragment", f"Off to {p} now", "CC0-1.0", (TextSpan(7, 7 + len(p), "LOCATION"),))
        for i, p in enumerate(PLACES)
    ]
    tokenizer = load_tokenizer()
    size = {"window": recipe.window, "overlap": recipe.overlap}
    return joined(
        category_rows([e.text for e in examples], targets(examples), tokenizer=tokenizer, **size),
        span_rows(spans, tokenizer=tokenizer, **size),
    )


def run(folder: Path, progress: Progress = lambda *_: None, resumed: Resumed = lambda *_: None) -> JointNet:
    torch.set_num_threads(1)
    path = checkpoint_path(folder, own := rows(), RECIPE, 5, CPU)
    return train(own, recipe=RECIPE, seed=5, device=CPU, path=path, progress=progress, resumed=resumed)


def _stop_at_four(done: int, _total: int, _loss: float) -> None:
    if done == 4:
        sys.stdout.write("four\n")
        sys.stdout.flush()
        sys.stdin.read()


if __name__ == "__main__":
    warnings.simplefilter("error")
    run(Path(sys.argv[1]), _stop_at_four)
