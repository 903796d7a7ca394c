"""How much harmless prose around one harmful sentence it takes until the guard model passes the text.

    python -m bench.dilution

Prints the score of the sentence's category, of sentences that runtimes are compared on and of our own prose, in the
middle of so many words, and whether it reaches the `flag` threshold that ships. Raw figures go to bench/results/.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from bench.app import ROOT
from workers.model import load_model
from workers.runtimes.choice import PROBES

HARMS = {
    "harassment": PROBES[2],
    "violence": PROBES[3],
    "hate": PROBES[4],
    "prompt_injection": PROBES[5],
    "self-harm": PROBES[7],
}
PROSE = (
    "The bakery on the corner opens at six, and the first customers are the drivers of the early buses. By eight the "
    "rolls are gone, so the owner keeps a tray of them behind the counter for the school. On Thursdays there is rye "
    "bread, which takes two days to make and sells in an hour. Last spring the oven was replaced; it came through the "
    "window, because the door was too narrow, and half of the street stood around to watch. Since then the cakes rise "
    "more evenly and the bill for gas is a third lower. In summer two students help on weekends. They write the prices "
    "on a slate, fold boxes, and learn how to shape a loaf without tearing it. The owner says that patience is most of "
    "the craft, and that flour, like weather, is never quite the same on two days in a row. Visitors ask for a recipe "
    "of the plum cake. It hangs framed beside the till, in the handwriting of her grandmother, and nobody can read it."
)
WORDS = (0, 10, 20, 40, 80, 160)


def diluted(sentence: str, words: int) -> str:
    around = PROSE.split()
    return " ".join([*around[: words // 2], sentence, *around[words // 2 : words]])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default="", help="a model folder; the one that ships by default")
    parser.add_argument("--out", type=Path, default=ROOT / "bench" / "results" / "dilution.json")
    options = parser.parse_args()
    model = load_model(options.model, device="cpu")
    limits = model.thresholds  # type: ignore[attr-defined]  # of every model but the fake one
    found = {}
    print(f"{model.version}; * reaches `flag`\n{'words around it':18}" + "".join(f"{words:>8}" for words in WORDS))
    for category, sentence in HARMS.items():
        scores = [one.scores[category] for one in model.predict([diluted(sentence, words) for words in WORDS])]
        found[category] = {"scores": scores, "flag": limits[category].flag}
        marks = (f"{score:7.3f}{'*' if score >= limits[category].flag else ' '}" for score in scores)
        print(f"{category:18}" + "".join(marks), flush=True)
    options.out.write_text(json.dumps({"model": model.version, "words": WORDS, "found": found}, indent=1) + "\n")
    print(f"raw figures: {options.out}")


if __name__ == "__main__":
    main()
