"""The guard model beside that of an earlier commit, on texts of public sources that are new to both.

    python -m bench.new_to_both --data ../shared/data

What a model was trained on depends on the code that split the data folder. So the earlier commit's own code says which
texts it kept from its model (`test` and `unseen`, and on no other side), and of these the texts are read that this code
keeps, too. Our own texts are left out. Prints the tables of `manage.py evaluate`; raw figures go to bench/results/.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import django

from bench.app import ROOT, revision

#: Run in the earlier source: prints the folder of its model, and of each text that was kept from it whether spans are
#: known and the text.
_KEPT = """
import json, sys
from pathlib import Path
import django
django.setup()
from feedback.evaluation.held_out import HELD_OUT, folder_rows
from workers.model import DEFAULT_FOLDER
folder, seed = Path(sys.argv[1]), int(sys.argv[2])
kept, learnt = (
    {(row.spans is not None, row.text) for row in folder_rows(folder, sides, seed=seed)}
    for sides in (HELD_OUT, frozenset({"train", "calibration"}))
)
print(json.dumps([str(DEFAULT_FOLDER), sorted(kept - learnt)]))
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--before", default="aee7808", help="the commit whose model is compared with")
    parser.add_argument("--seed", type=int, default=7, help="of both trainings")
    parser.add_argument("--out", type=Path, default=ROOT / "bench" / "results" / "new_to_both.json")
    options = parser.parse_args()
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "webapp.settings")
    django.setup()
    with revision(options.before) as source:
        figures, tables = _compare(source, options.data.resolve(), options.seed)
    print(tables)
    facts = {"before": options.before, "seed": options.seed}
    # JSON has no NaN, which is what is undefined.
    finite = json.loads(json.dumps({**facts, **figures}), parse_constant=lambda _: None)
    options.out.write_text(json.dumps(finite))
    print(f"raw figures: {options.out}")


def _compare(source: Path, data: Path, seed: int) -> tuple[dict[str, Any], str]:
    from feedback.evaluation import printing, report
    from feedback.evaluation.held_out import HELD_OUT, folder_rows
    from feedback.evaluation.scoring import open_model, score
    from feedback.training.data import SYNTHETIC
    from workers.model import DEFAULT_FOLDER

    earlier, kept = _kept(source, data, seed)
    rows = [
        row
        for row in folder_rows(data, HELD_OUT, seed=seed)
        if (row.spans is not None, row.text) in kept and not row.slices["source"].startswith(SYNTHETIC)
    ]
    scored = [
        score(open_model(str(folder), "cpu"), rows, name=folder.name, progress=lambda _: None)
        for folder in (DEFAULT_FOLDER, earlier)
    ]
    reports = [report.model_report(rows, one, seed=seed) for one in scored]
    gains = report.differences(rows, *scored, seed=seed)
    figures = {
        "models": [dataclasses.asdict(one) for one in reports],
        "gains": {category: dataclasses.asdict(gain) for category, gain in gains.items()},
    }
    return figures, printing.markdown(reports, gains)


def _kept(source: Path, data: Path, seed: int) -> tuple[Path, set[tuple[bool, str]]]:
    """Return the folder of the model of `source`, and what it has never seen: whether spans are known, and the text."""
    path = os.pathsep.join([str(source), str(source / "guardrails")])
    said = subprocess.run(
        [sys.executable, "-c", _KEPT, str(data), str(seed)],
        cwd=source,
        env={**os.environ, "PYTHONPATH": path},
        stdout=subprocess.PIPE,
        check=True,
    )
    folder, kept = json.loads(said.stdout)
    return Path(folder), {(spans, text) for spans, text in kept}


if __name__ == "__main__":
    main()
