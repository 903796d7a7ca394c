"""How well the `grounding` rule tells supported sentences from others: `python -m bench.grounding`.

Pairs are made from skeletons of our own (`grounding_facts.yaml`) with a seed: documents with some facts, and sentences
that repeat a fact in other words, change a number or a name in it, contradict it, or add to it. The weights of
`screening.detectors.support` are fitted (`--fit`) on the odd skeletons and measured on the even ones.
"""

from __future__ import annotations

import argparse
import json
import random
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from screening.detectors.grounding import UNSUPPORTED, Grounding, GroundingOptions
from screening.detectors.served import Ask
from screening.detectors.support import EVIDENCE, FEATURES, features
from screening.findings import Deadline, Text
from workers.served import ServedModels

RESULTS = Path(__file__).parent / "results" / "grounding.json"
PLACES = (
    "Porto",
    "Graz",
    "Leeds",
    "Turku",
    "Ghent",
    "Varna",
    "Aarhus",
    "Bergen",
    "Lugano",
    "Split",
    "Kaunas",
    "Toledo",
)
PEOPLE = (
    "Ana Lima", "Tom Baker", "Ingrid Holm", "Ravi Nair", "Mei Tan", "Omar Said", "Julia Roth", "Pavel Novak",
    "Chidi Obi", "Rosa Marin", "Kenji Mori", "Elif Kaya",
)  # fmt: skip
DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
THRESHOLDS = (0.3, 0.5, 0.7, 0.9)


@dataclass(frozen=True)
class Pair:
    """A sentence and documents; `kind` is "same" when they support it, else how they do not."""

    sentence: str
    documents: tuple[str, ...]
    kind: str

    @property
    def unsupported(self) -> bool:
        return self.kind != "same"


def slots(rng: random.Random) -> dict[str, str]:
    people = rng.sample(PEOPLE, 2)
    numbers = rng.sample(range(3, 90), 2)
    return {
        "p": rng.choice(PLACES), "a": people[0], "b": people[1], "n": str(numbers[0]), "m": str(numbers[1]),
        "y": str(rng.randint(1890, 2020)), "d": rng.choice(DAYS),
    }  # fmt: skip


def pairs(facts: Sequence[dict[str, Any]], count: int, seed: int) -> list[Pair]:
    """Return `count` rounds of five kinds of sentences on `facts`, among other facts of the list."""
    rng = random.Random(seed)
    made: list[Pair] = []
    for _ in range(count):
        fact, values = rng.choice(facts), slots(rng)
        noise = [rng.choice(other["says"]).format(**slots(rng)) for other in rng.sample(list(facts), 4)]
        says = rng.choice(fact["says"]).format(**values)
        first = " ".join([*noise[:2], says] if rng.random() < 0.5 else [says, *noise[:2]])
        documents = (first, " ".join(noise[2:]))
        same = rng.choice(fact["same"])
        made.append(Pair(same.format(**values), documents, "same"))
        # As many supported as not.
        for kind in rng.sample(("number", "name", "wrong", "extra"), 1):
            text = same if kind in ("number", "name") else rng.choice(fact[kind])
            changed = values if kind in ("wrong", "extra") else _changed(same, values, kind, rng)
            if changed is None:
                kind, text, changed = "wrong", rng.choice(fact["wrong"]), values
            made.append(Pair(text.format(**changed), documents, kind))
    return made


def _changed(text: str, values: dict[str, str], kind: str, rng: random.Random) -> dict[str, str] | None:
    """Return the values with one that the text uses changed; None when it uses none of the kind."""
    used = [name for name in re.findall(r"{(\w)}", text) if name in ("nmy" if kind == "number" else "pabd")]
    if not used:
        return None
    name = rng.choice(used)
    while (fresh := slots(rng)[name]) in values.values():
        pass
    return {**values, name: fresh}


def scores(made: Sequence[Pair], models: ServedModels) -> list[float]:
    """Return what the detector says of each sentence, as a worker would."""
    detector = Grounding(GroundingOptions())
    asks = []
    for pair in made:
        texts = (Text("output", pair.sentence),)
        asks.append(Ask(texts, texts, pair.documents, frozenset({UNSUPPORTED}), Deadline.after_ms(1_800_000)))
    judged = [answer() for answer in detector.ask(asks, models)]
    return [max((hit.score for hit in each.hits.get("output", [])), default=0.0) for each in judged]


def fit(made: Sequence[Pair], models: ServedModels) -> tuple[float, list[float]]:
    """Return bias and weights of a logistic regression on the features of the pairs."""
    from sklearn.linear_model import LogisticRegression

    from screening.detectors.sentences import sentences

    rows = []
    for pair in made:
        units = [document[start:end] for document in pair.documents for start, end in sentences(document)]
        cosines = models.compare([pair.sentence], units, Deadline()).result()[0]
        near = sorted(zip(units, cosines, strict=True), key=lambda each: -each[1])[: EVIDENCE + 1]
        rows.append(features(pair.sentence, near))
    model = LogisticRegression(C=1.0, max_iter=1000).fit(rows, [pair.unsupported for pair in made])
    return float(model.intercept_[0]), [float(weight) for weight in model.coef_[0]]


def measure(made: Sequence[Pair], found: Sequence[float]) -> dict[str, Any]:
    """Return precision, recall and false alarms at thresholds, and how many of each kind are flagged."""
    table = {}
    for threshold in THRESHOLDS:
        flagged = [score >= threshold for score in found]
        hits = sum(flag and pair.unsupported for flag, pair in zip(flagged, made, strict=True))
        kinds = {
            kind: [flag for flag, pair in zip(flagged, made, strict=True) if pair.kind == kind]
            for kind in ("same", "number", "name", "wrong", "extra")
        }
        table[str(threshold)] = {
            "precision": hits / max(1, sum(flagged)),
            "recall": hits / sum(pair.unsupported for pair in made),
            "flagged": {kind: sum(flags) / max(1, len(flags)) for kind, flags in kinds.items()},
        }
    return table


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pairs", type=int, default=150, help="rounds of one supported and one other sentence")
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--fit", action="store_true", help="print weights fitted on the odd skeletons, and end")
    options = parser.parse_args()
    facts = yaml.safe_load((Path(__file__).parent / "grounding_facts.yaml").read_text())
    models = ServedModels()
    if options.fit:
        bias, weights = fit(pairs(facts[1::2], options.pairs, options.seed), models)
        print(f"BIAS = {bias:.2f}\nWEIGHTS = ({', '.join(f'{weight:.2f}' for weight in weights)})  # {FEATURES}")
    else:
        table = {
            name: measure(made, scores(made, models))
            for name, made in (
                ("fitted skeletons", pairs(facts[1::2], options.pairs, options.seed + 1)),
                ("held-out skeletons", pairs(facts[::2], options.pairs, options.seed + 2)),
            )
        }
        show(table)
        RESULTS.write_text(
            json.dumps({"pairs": options.pairs, "seed": options.seed, "results": table}, indent=1) + "\n"
        )
    models.close()


def show(table: dict[str, dict[str, Any]]) -> None:
    for name, rows in table.items():
        print(f"{name}\nthreshold  precision  recall   flagged: same  number   name  wrong  extra")
        for threshold, row in rows.items():
            kinds = "  ".join(f"{share:5.2f}" for share in row["flagged"].values())
            print(f"{threshold:>9}  {row['precision']:9.2f}  {row['recall']:6.2f}            {kinds}")


if __name__ == "__main__":
    main()
