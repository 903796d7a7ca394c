"""Whether disturbed training texts help, and texts amid harmless prose, on texts as they are and on such.

    python -m bench.augmentation --data ../shared/data

Trains the same small model on the same share of the training side, with none, some and more of its texts disturbed
(feedback/training/augment.py) or amid prose (feedback/training/embed.py), and prints the mean average precision over
the categories on texts of the test side: as they are, disturbed in each way, and amid prose of that side. Raw figures
go to bench/results/.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import random
from pathlib import Path

import numpy as np

from bench.app import ROOT
from bench.small_model import small

WAYS = ("as they are", "case", "typos", "obfuscation", "amid prose")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--augment", type=float, nargs="*", default=[0.0, 0.1, 0.3], help="shares that are disturbed")
    parser.add_argument("--embed", type=float, nargs="*", default=[0.2], help="shares that are amid prose")
    parser.add_argument("--train", type=int, default=12_000, help="texts to train on, once each")
    parser.add_argument("--test", type=int, default=2_500)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--threads", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--out", type=Path, default=ROOT / "bench" / "results" / "augmentation.json")
    options = parser.parse_args()

    from feedback.training.augment import KINDS, disturb
    from feedback.training.embed import embedded, prose_of

    model = small(options.data, train=options.train, test=options.test, seed=options.seed, threads=options.threads)
    table: dict[str, dict[str, dict[str, float]]] = {}
    prose = prose_of(model.corpus.prose("test"))
    chance = random.Random(options.seed)
    asked = {way: [disturb(text, way, chance) for text in model.texts()] for way in sorted(KINDS)}
    asked |= {"as they are": model.texts(), "amid prose": embedded(model.texts(), prose, share=1.0, seed=options.seed)}
    print(f"{'':16}" + "".join(f"{way:>14}" for way in WAYS))
    for name, shares in {"disturbed": options.augment, "amid prose": options.embed}.items():
        for share in shares:
            net = model.train(**{"augment" if name == "disturbed" else "embed": share})
            own = {way: model.average_precision(net, asked[way]) for way in WAYS}
            table[f"{name} {share}"] = own
            means = "".join(f"{np.mean(list(own[way].values())):14.3f}" for way in WAYS)
            print(f"{name:10} {share:4.0%} {means}", flush=True)
    options.out.parent.mkdir(parents=True, exist_ok=True)
    facts = {"machine": platform.platform(), "train": options.train, "test": options.test, "seed": options.seed}
    options.out.write_text(json.dumps({**facts, "average_precision": table}, indent=1))
    print(f"raw figures: {options.out}")


if __name__ == "__main__":
    main()
