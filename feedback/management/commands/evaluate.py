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

from feedback.commands import find_device, make_folder
from webapp.files import new_file

if TYPE_CHECKING:
    from feedback.evaluation.rows import Row
    from feedback.evaluation.scoring import Scored
    from screening.detectors.base import GuardModel


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
            from feedback.evaluation import baseline, entities, held_out, plots, printing, report
        except ImportError as error:
            raise CommandError(f"Measuring needs {error.name}. Install it: pip install -e '.[train]'") from error
        from feedback.evaluation.rows import doubled

        if options["sample"] is not None and options["sample"] < 1:
            raise CommandError("--sample must be 1 or more.")
        if options["seed"] < 0:
            raise CommandError("--seed must be 0 or more.")
        # Whatever can be wrong with the arguments comes before the models read for minutes or hours.
        find_device(options["device"])
        rows = _read(options["data"], held_out.HELD_OUT, seed=options["seed"])
        if options["sample"] and options["sample"] < len(rows):
            rows = random.Random(options["seed"]).sample(rows, options["sample"])  # noqa: S311 - repeatable, no secret
        if copies := doubled(rows):
            self.stderr.write(f"{copies} of the {len(rows)} texts are copies of others, and count again.")
        training = _read(options["baseline"], held_out.TRAINING, seed=options["seed"])
        sources = [source for source in (options["model"], options["compare"]) if source]
        models = [_open(source, options["device"]) for source in sources]
        if any(path.is_dir() for path in options["data"]):
            for source, model in zip(sources, models, strict=True):
                _must_be_new_to(model, source, seed=options["seed"])
        if options["out"]:
            make_folder(options["out"])
        fitted = [self._fit(baseline, training, rows)] if training else []
        scored = [_score(model, source, rows) for source, model in zip(sources, models, strict=True)] + fitted
        for one in scored[: len(sources)]:
            if missing := entities.not_found(rows, one.name, one.entities):
                self.stderr.write(missing)
        reports = [report.model_report(rows, one, seed=options["seed"]) for one in _named_apart(scored)]
        gains = report.differences(rows, scored[0], scored[1], seed=options["seed"]) if len(sources) == 2 else {}
        text = printing.markdown(reports, gains)
        self.stdout.write(text)
        if folder := options["out"]:
            try:
                _write_report(options, _data(options, rows, training), reports, gains, text)
                for path in plots.write_plots(folder, rows, scored, reports, kind=options["plots"]):
                    self.stderr.write(f"{path} written")
            except OSError as error:
                why = f"{folder} cannot be written to: {error.strerror or error}"
                raise CommandError(f"{why}. The tables above are whole.") from error

    def _fit(self, baseline: Any, training: Sequence[Row], rows: Sequence[Row]) -> Scored:
        """Return what the baseline says of `rows`."""
        if shared := baseline.shared_texts(training, rows):
            self.stderr.write(f"{shared} of the texts are also among the training rows of the baseline.")
        try:
            scored: Scored = baseline.fit_and_score(training, rows)
        except ValueError as error:
            counted = "one row" if len(training) == 1 else f"{len(training)} rows"
            raise CommandError(
                f"The baseline cannot be fitted on {counted} of which no two share a word. Give it more training rows."
            ) from error
        if missing := baseline.left_out(training, rows, scored):
            self.stderr.write(missing)
        return scored


def _data(options: dict[str, Any], rows: Sequence[Row], training: Sequence[Row]) -> dict[str, Any]:
    """Return what tells whether two reports are of the same texts."""
    from feedback.evaluation.rows import digest

    return {
        "data": [str(path) for path in options["data"]],
        "data_sha256": digest(rows),
        "sample": options["sample"],
        "baseline": [str(path) for path in options["baseline"]],
        "baseline_sha256": digest(training) if training else None,
        "seed": options["seed"],
    }


def _write_report(options: dict[str, Any], data: dict[str, Any], reports: Any, gains: Any, text: str) -> None:
    folder: Path = options["out"]
    content = data | {
        "models": [dataclasses.asdict(one) for one in reports],
        "gains": {category: dataclasses.asdict(gain) for category, gain in gains.items()},
    }
    with new_file(folder / "report.json", replace=True) as path:
        path.write_text(json.dumps(_finite(content), indent=1) + "\n", encoding="utf-8")
    with new_file(folder / "report.md", replace=True) as path:
        path.write_text(text, encoding="utf-8")


def _open(source: str, device: str) -> GuardModel:
    from feedback.evaluation.scoring import open_model
    from screening.detectors.served import ModelMissing
    from screening.models_file import ModelsFileError
    from workers.model import ModelUnavailable

    try:
        return open_model(source, device)
    except (ModelUnavailable, ModelMissing, ModelsFileError) as error:
        raise CommandError(f"{source} cannot be measured: {error}") from error


def _must_be_new_to(model: GuardModel, source: str, *, seed: int) -> None:
    """Raise CommandError where a data folder, split by `seed`, would hold out what the model was trained on."""
    own = getattr(model, "seed", None)
    if own not in (None, seed):
        raise CommandError(
            f"{source} was trained with seed {own}: split by seed {seed}, the data folder would hold out texts that it"
            f" has learnt. Use --seed {own}."
        )


def _score(model: GuardModel, source: str, rows: Sequence[Row]) -> Scored:
    from feedback.evaluation.scoring import score

    with tqdm(total=len(rows), desc=source, unit="text") as bar:
        return score(model, rows, name=Path(source).name, progress=bar.update)


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
