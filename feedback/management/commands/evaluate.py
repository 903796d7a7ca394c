"""`manage.py evaluate`: how good any model is on any labelled texts, as tables, JSON and plots."""

from __future__ import annotations

import dataclasses
import json
import math
import random
from argparse import RawDescriptionHelpFormatter
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from tqdm import tqdm

from webapp.files import new_file

if TYPE_CHECKING:
    from feedback.evaluation.rows import Row
    from feedback.evaluation.scoring import Scored


class Command(BaseCommand):
    help = """Measure a model on labelled texts. Prints tables; with --out also writes report.json, report.md and plots.

MODEL is "active" (what this installation's workers serve), "default" (what ships), a model folder, or the name of a
classifier of the models file. DATA is a JSONL file (.gz too): see docs/reference/evaluation.md; or a data folder of
`train`, of which the held-out texts are taken (the training texts, for --baseline)."""

    def add_arguments(self, parser: CommandParser) -> None:
        parser.formatter_class = RawDescriptionHelpFormatter
        parser.add_argument("model", metavar="MODEL")
        parser.add_argument("data", metavar="DATA", type=Path, nargs="+")
        parser.add_argument("--compare", metavar="OTHER", help="a second model, measured on the same texts")
        parser.add_argument(
            "--baseline",
            metavar="ROWS",
            type=Path,
            nargs="+",
            default=[],
            help="training rows: fit TF-IDF with logistic regression on them, and measure it beside the model",
        )
        parser.add_argument("--out", type=Path, help="folder for report.json, report.md and plots")
        parser.add_argument("--plots", choices=("svg", "png"), default="svg", help="form of the plots (default: svg)")
        parser.add_argument("--sample", type=int, metavar="N", help="measure on N of the texts, drawn by --seed")
        parser.add_argument("--device", default="auto", help="cpu, cuda or auto")
        parser.add_argument(
            "--seed", type=int, default=7, help="of the bootstrap, of --sample and of a data folder's split"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            from feedback.evaluation import baseline, held_out, printing, report, scoring
        except ImportError as error:
            raise CommandError(f"Measuring needs {error.name}. Install it: pip install -e '.[train]'") from error
        rows = _read(options["data"], held_out.HELD_OUT, seed=options["seed"])
        if options["sample"] and options["sample"] < len(rows):
            rows = random.Random(options["seed"]).sample(rows, options["sample"])  # noqa: S311 - repeatable, no secret
        sources = [source for source in (options["model"], options["compare"]) if source]
        scored = [self._score(scoring, source, rows, options["device"]) for source in sources]
        if options["baseline"]:
            training = _read(options["baseline"], held_out.TRAINING, seed=options["seed"])
            if shared := baseline.shared_texts(training, rows):
                self.stderr.write(f"{shared} of the texts are also among the training rows of the baseline.")
            scored.append(baseline.fit_and_score(training, rows))
        reports = [report.model_report(rows, one, seed=options["seed"]) for one in _named_apart(scored)]
        gains = report.differences(rows, scored[0], scored[1], seed=options["seed"]) if len(sources) == 2 else {}
        text = printing.markdown(reports, gains)
        if options["out"]:
            self._write(options, rows, scored, reports, gains, text)
        self.stdout.write(text)

    def _score(self, scoring: Any, source: str, rows: Sequence[Row], device: str) -> Scored:
        from screening.detectors.served import ModelMissing
        from screening.models_file import ModelsFileError
        from workers.model import ModelUnavailable

        try:
            model = scoring.open_model(source, device)
        except (ModelUnavailable, ModelMissing, ModelsFileError) as error:
            raise CommandError(f"{source} cannot be measured: {error}") from error
        with tqdm(total=len(rows), desc=source, unit="text") as bar:
            scored: Scored = scoring.score(model, rows, name=Path(source).name, progress=bar.update)
        return scored

    def _write(
        self, options: dict[str, Any], rows: Sequence[Row], scored: Any, reports: Any, gains: Any, text: str
    ) -> None:
        from feedback.evaluation.plots import write_plots

        folder: Path = options["out"]
        folder.mkdir(parents=True, exist_ok=True)
        content = {
            "data": [str(path) for path in options["data"]],
            "seed": options["seed"],
            "models": [dataclasses.asdict(one) for one in reports],
            "gains": {category: dataclasses.asdict(gain) for category, gain in gains.items()},
        }
        with new_file(folder / "report.json", replace=True) as path:
            path.write_text(json.dumps(_finite(content), indent=1) + "\n", encoding="utf-8")
        with new_file(folder / "report.md", replace=True) as path:
            path.write_text(text, encoding="utf-8")
        for path in write_plots(folder, rows, scored, reports, kind=options["plots"]):
            self.stderr.write(f"{path} written")


def _read(paths: Sequence[Path], sides: frozenset[str], *, seed: int) -> list[Row]:
    from feedback.evaluation.held_out import folder_rows
    from feedback.evaluation.rows import DataError, read_rows

    rows = []
    for path in paths:
        try:
            rows += folder_rows(path, sides, seed=seed) if path.is_dir() else read_rows(path)
        except DataError as error:
            raise CommandError(str(error)) from error
        except OSError as error:
            raise CommandError(f"{path} cannot be read: {error.strerror or error}") from error
    return rows


def _named_apart(scored: Sequence[Scored]) -> list[Scored]:
    """Return `scored` under names that differ, also when two folders are called the same."""
    names = [one.name for one in scored]
    return [
        dataclasses.replace(one, name=one.name if names.count(one.name) == 1 else f"{one.name} ({i + 1})")
        for i, one in enumerate(scored)
    ]


def _finite(value: Any) -> Any:
    """Return `value` with null for what is undefined: JSON has no NaN."""
    if isinstance(value, dict):
        return {key: _finite(own) for key, own in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(own) for own in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
