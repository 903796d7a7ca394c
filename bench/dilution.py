"""How much of what the guard model finds it still finds amid harmless prose.

    python -m bench.dilution --data ../shared/data
    python -m bench.dilution --data ../shared/data --model default workers/models/NAME

Reads the short texts of the test side, alone and amid so many words of answers and documents of that side that are
called harmless, and prints for each category the average precision and how many of the harmful ones reach the `flag`
threshold that ships with the model. Raw figures go to bench/results/.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import os
import random
from pathlib import Path

import django
import numpy as np

from bench.app import ROOT

WORDS = (0, 10, 20, 40, 80, 160)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--model", nargs="+", default=["default"], help="model folders, or `default` for what ships")
    parser.add_argument("--sample", type=int, default=2_000, help="texts, each read once for each number of words")
    parser.add_argument("--seed", type=int, default=7, help="of the training, and of what is drawn")
    parser.add_argument("--out", type=Path, default=ROOT / "bench" / "results" / "dilution.json")
    options = parser.parse_args()
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "webapp.settings")
    django.setup()

    from feedback.evaluation.figures import draws
    from feedback.evaluation.held_out import HELD_OUT, folder_rows
    from feedback.evaluation.report import part
    from feedback.evaluation.scoring import open_model, score
    from feedback.training.embed import LONGEST, amid, prose_of

    chance = random.Random(options.seed)
    every = [row for row in folder_rows(options.data, HELD_OUT, seed=options.seed) if row.spans is None]
    calm = [row.text for row in every if row.benign and row.slices["kind"] != "post"]
    prose = [sentence for own in prose_of(calm) for sentence in own]
    short = [row for row in every if row.labels and len(row.text.split()) <= LONGEST]
    short = chance.sample(short, min(options.sample, len(short)))
    rows = [dataclasses.replace(row, text=amid(row.text, prose, words, chance)) for row in short for words in WORDS]
    found = {}
    for source in options.model:
        said = score(open_model(source, "cpu"), rows, name=source, progress=lambda _: None)
        weights = draws(len(rows), seed=options.seed)
        parts = {w: part(rows, said, np.arange(len(rows))[i :: len(WORDS)], weights) for i, w in enumerate(WORDS)}
        found[said.version] = {words: dataclasses.asdict(own) for words, own in parts.items()}
        print(f"\n{said.version}, {len(short)} texts\n{'words around them':24}" + "".join(f"{w:>14}" for w in WORDS))
        for column, category in enumerate(said.categories):
            figures = [parts[words].categories[column].figures for words in WORDS]
            if all(figures):
                print(f"{category:24}" + "".join(f"{f['ap'].value:8.3f} {f['recall'].value:5.2f}" for f in figures))
        benign = [f"{own.benign.share.value:14.2%}" if own.benign else f"{'–':>14}" for own in parts.values()]
        print(f"{'benign flagged':24}" + "".join(benign), flush=True)
    finite = json.loads(json.dumps({"seed": options.seed, "models": found}), parse_constant=lambda _: None)
    options.out.write_text(json.dumps(finite) + "\n")
    print(f"raw figures: {options.out}")


if __name__ == "__main__":
    main()
