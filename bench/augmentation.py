"""Whether disturbed training texts help, on texts as they are and on disturbed ones.

    python -m bench.augmentation --data ../shared/data

Trains the same small model on the same share of the training side, with none, some and more of its texts disturbed
(feedback/training/augment.py), and prints the mean average precision over the categories on texts of the test side: as
they are, and disturbed in each way. Raw figures go to bench/results/.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import random
import tempfile
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path

import numpy as np

from bench.app import ROOT

WAYS = ("as they are", "case", "typos", "obfuscation")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--shares", type=float, nargs="+", default=[0.0, 0.1, 0.3])
    parser.add_argument("--train", type=int, default=12_000, help="texts to train on, once each")
    parser.add_argument("--test", type=int, default=2_500)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--threads", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--out", type=Path, default=ROOT / "bench" / "results" / "augmentation.json")
    options = parser.parse_args()

    import torch
    from sklearn.metrics import average_precision_score

    from feedback.training import pipeline
    from feedback.training.augment import disturb
    from feedback.training.joint.recipe import RECIPE
    from feedback.training.joint.rows import category_rows
    from feedback.training.joint.tensors import category_logits
    from screening.categories import MODEL_CATEGORIES
    from workers.runtimes.encoder import load_tokenizer

    pipeline.set_deterministic(options.threads)
    dice = np.random.default_rng(options.seed)
    corpus = pipeline.read_corpus(options.data, seed=options.seed, texts_share=0.2)
    left = dice.permutation(corpus.rows("train"))[options.train :]
    corpus.sides[left] = "left out"
    kept = [number for number, side in enumerate(corpus.span_sides) if side != "train" or number % 8 == 0]
    spans, sides = [corpus.spans[i] for i in kept], [corpus.span_sides[i] for i in kept]
    corpus = replace(corpus, spans=spans, span_sides=sides)
    rows = dice.permutation(corpus.rows("test"))[: options.test]
    known = corpus.targets_of(rows)
    tokenizer = load_tokenizer()
    table: dict[str, dict[str, dict[str, float]]] = {}
    print("disturbed  " + "".join(f"{way:>14}" for way in WAYS))
    for share in options.shares:
        recipe = replace(RECIPE, epochs=1.0, augment=share)
        with tempfile.TemporaryDirectory() as checkpoints:
            net = pipeline.train_net(
                corpus,
                recipe=recipe,
                seed=options.seed,
                device=torch.device("cpu"),
                checkpoints=Path(checkpoints),
                bar=lambda _stage, _total: nullcontext(lambda _done: None),
            )
        own = table[str(share)] = {}
        for way in WAYS:
            chance = random.Random(options.seed)
            texts = [corpus.examples[i].text for i in rows]
            if way != WAYS[0]:
                texts = [disturb(text, way, chance) for text in texts]
            read = category_rows(texts, known, tokenizer=tokenizer, window=recipe.window, overlap=recipe.overlap)
            scores = category_logits(net, read, device=torch.device("cpu"))
            own[way] = {}
            for column, category in enumerate(MODEL_CATEGORIES):
                use = known.weight[:, column] >= 1.0
                if known.value[use, column].sum() >= 5:
                    precision = average_precision_score(known.value[use, column], scores[use, column])
                    own[way][category] = round(float(precision), 4)
        means = "".join(f"{np.mean(list(own[way].values())):14.3f}" for way in WAYS)
        print(f"{share:9.0%}  {means}", flush=True)
    options.out.parent.mkdir(parents=True, exist_ok=True)
    facts = {"machine": platform.platform(), "train": options.train, "test": options.test, "seed": options.seed}
    options.out.write_text(json.dumps({**facts, "average_precision": table}, indent=1))
    print(f"raw figures: {options.out}")


if __name__ == "__main__":
    main()
