"""Whether weak labels help: those of the word list, and those that follow from what a source is.

    python -m bench.weak_labels --data ../shared/data

Trains the same small model on the same texts with no weak labels, with the word list's, with the rules' (what a source
of plain questions, of safe answers or of one hazard implies), and with both; prints the average precision of each
category on labels that a source gave. Raw figures go to bench/results/.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
from pathlib import Path

import numpy as np

from bench.app import ROOT
from bench.small_model import Small, small


def weights(model: Small) -> dict[str, np.ndarray]:
    """Return the weight [texts, categories] of each way to label."""
    from feedback.training.labels import targets

    whole = model.corpus.targets.weight
    rules = targets(model.corpus.examples).weight
    given = np.where(rules >= 1.0, rules, 0.0)
    return {"none": given, "word list": np.where(rules == whole, given, whole), "rules": rules, "both": whole}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--train", type=int, default=12_000, help="texts to train on, once each")
    parser.add_argument("--test", type=int, default=2_500)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--threads", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--out", type=Path, default=ROOT / "bench" / "results" / "weak_labels.json")
    options = parser.parse_args()

    model = small(options.data, train=options.train, test=options.test, seed=options.seed, threads=options.threads)
    table: dict[str, dict[str, float]] = {}
    for name, weight in weights(model).items():
        net = model.train(weight=weight)
        table[name] = model.average_precision(net, model.texts())
        print(f"{name}: mean {np.mean(list(table[name].values())):.3f}", flush=True)
    print(f"{'category':24}" + "".join(f"{name:>12}" for name in table))
    for category in table["none"]:
        print(f"{category:24}" + "".join(f"{own[category]:12.3f}" for own in table.values()))
    options.out.parent.mkdir(parents=True, exist_ok=True)
    facts = {"machine": platform.platform(), "train": options.train, "test": options.test, "seed": options.seed}
    options.out.write_text(json.dumps({**facts, "average_precision": table}, indent=1) + "\n")
    print(f"raw figures: {options.out}")


if __name__ == "__main__":
    main()
