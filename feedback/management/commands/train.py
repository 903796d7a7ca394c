"""`manage.py train`: train the guard model, measure it, and write the folder that workers load."""

from __future__ import annotations

import argparse
import os
import platform
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from tqdm import tqdm

from feedback.commands import find_device, make_folder
from feedback.folders import remove_leftovers, whole_folder

if TYPE_CHECKING:
    from feedback.training.pipeline import Corpus, Trained
    from workers.runtimes.joint import JointConfig

TRAFFIC = "traffic_replay.jsonl.gz"
AGAIN = "The same command goes on from the last checkpoint: there is one every 50 batches."
PACKAGES = ("torch", "transformers", "tokenizers", "peft", "scikit-learn", "numpy")


class Command(BaseCommand):
    help = "Train the guard model from a data folder, print its scores and write its model card."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.formatter_class = argparse.ArgumentDefaultsHelpFormatter
        parser.add_argument("--data", type=Path, required=True, help="folder with the training files")
        parser.add_argument("--out", type=Path, required=True, help="folder to write the model to")
        parser.add_argument("--seed", type=int, default=7)
        parser.add_argument("--threads", type=int, default=os.cpu_count() or 1)
        parser.add_argument("--device", default="auto", help="cpu, cuda or auto")
        parser.add_argument("--synthetic", type=float, default=0.4, help="share of our own texts to use, 0 to 1")
        parser.add_argument("--checkpoints", type=Path, default=settings.HOME / "cache" / "training")

    def handle(self, *args: Any, **options: Any) -> None:
        _check_numbers(options)
        try:
            self._train(options)
        except KeyboardInterrupt:
            self.stderr.write(f"Stopped. {AGAIN}")
            sys.exit(130)

    def _train(self, options: dict[str, Any]) -> None:
        try:
            from feedback.training import pipeline
        except ImportError as error:
            raise CommandError(f"Training needs {error.name}. Install it: pip install -e '.[train]'") from error
        from feedback.training.joint.recipe import RECIPE
        from feedback.training.traffic import replayed

        started = time.monotonic()
        device = find_device(options["device"])
        out = options["out"].resolve()
        _check_out(out)
        if options["checkpoints"].resolve().is_relative_to(out):
            raise CommandError(
                "--checkpoints must not lie in --out, which is replaced as a whole. Name another folder."
            )
        make_folder(options["checkpoints"])
        pipeline.set_deterministic(options["threads"])
        try:
            corpus = pipeline.read_corpus(
                options["data"], seed=options["seed"], texts_share=options["synthetic"], warn=self.stderr.write
            )
            responses = replayed(options["data"] / TRAFFIC, seed=options["seed"])
        except (OSError, ValueError) as error:
            raise CommandError(f"The data folder cannot be used: {error}") from error
        net, checkpoint = pipeline.train_net(
            corpus,
            recipe=RECIPE,
            seed=options["seed"],
            device=device,
            checkpoints=options["checkpoints"],
            bar=progress_bar,
            resumed=self._resumed,
        )
        trained = pipeline.conclude(corpus, net, recipe=RECIPE, seed=options["seed"], device=device, bar=progress_bar)
        try:
            # Workers of another user may serve it: others read it as the umask says.
            with whole_folder(out, mode=0o777) as folder:
                config = pipeline.save(folder, corpus, trained, name=out.name, recipe=RECIPE, seed=options["seed"])
                self._report(folder, corpus, trained, config, responses, options)
            # Not earlier: a run killed between two renames left the model that was there under such a name.
            remove_leftovers(out)
        except OSError as error:
            raise CommandError(f"{out} could not be written: {error}. {AGAIN}") from error
        # It holds nothing that the folder lacks, and would stand in for the next training.
        checkpoint.unlink(missing_ok=True)
        self.stdout.write(f"{options['out']} written in {time.monotonic() - started:.0f} s: {config.version}")

    def _resumed(self, done: int, total: int) -> None:
        with tqdm.external_write_mode():
            self.stderr.write(f"Going on from a checkpoint of this very run: {done} of {total} batches are done.")

    def _report(
        self,
        folder: Path,
        corpus: Corpus,
        trained: Trained,
        config: JointConfig,
        responses: list[str],
        options: dict[str, Any],
    ) -> None:
        """Write the card into `folder`, which is still to take its place, and print the scores."""
        import numpy as np

        from feedback.training import card, report
        from feedback.training.embedding_figures import mean_cosine
        from feedback.training.fresh import fresh_alarms
        from feedback.training.joint.recipe import RECIPE
        from feedback.training.lexicon import Lexicon
        from feedback.training.pipeline import LEXICON, MODERATION
        from feedback.training.span_figures import span_figures
        from feedback.training.traffic import traffic_flag_rate

        seed = options["seed"]
        test = corpus.rows("test")
        asked = np.concatenate([test, corpus.rows("unseen")])
        baseline = report.baseline_scores(corpus, asked)
        categories = report.category_rows(corpus, trained, baseline[: len(test)], seed=seed)
        benign, alarms = report.false_alarms(corpus, trained)
        words = options["data"] / LEXICON
        lexicon = Lexicon.read(words) if words.exists() else None
        facts = card.Facts(
            command=f"python manage.py train --data {options['data']} --out {options['out']} --seed {seed}"
            f" --threads {options['threads']} --device {options['device']} --synthetic {options['synthetic']}",
            seed=seed,
            recipe=f"{RECIPE}.",
            versions={"python": platform.python_version()} | {p: version(p) for p in PACKAGES},
            benign=benign,
            alarms=alarms,
            input=report.input_alarms(corpus, trained),
            unseen=report.unseen_rows(corpus, trained, baseline[len(test) :], seed=seed),
            spans=span_figures(corpus.spans_on("test"), folder),
            traffic=traffic_flag_rate(responses, folder) if responses else None,
            fresh=fresh_alarms(options["data"] / MODERATION, lexicon, folder, seed=seed),
            cosine=mean_cosine([corpus.examples[i].text for i in test], folder),
        )
        card.write_card(
            folder,
            replaced=options["out"],
            config=config,
            corpus=corpus,
            trained=trained,
            categories=categories,
            sources=report.source_rows(corpus, trained),
            facts=facts,
        )
        self.stdout.write(card.scores_table(categories))
        for source, answers, reached, share in facts.fresh:
            self.stdout.write(
                f"{reached} of {answers} benign answers of {source} that took no part are flagged ({share})"
            )
        self.stdout.write(f"\n{alarms:.2%} of {benign} benign assistant answers reach a flag threshold\n")


def _check_numbers(options: dict[str, Any]) -> None:
    if not 0 <= options["synthetic"] <= 1:
        raise CommandError("--synthetic must be 0 to 1: it is a share.")
    if options["threads"] < 1:
        raise CommandError("--threads must be 1 or more.")
    if not 0 <= options["seed"] < 2**32:
        raise CommandError(f"--seed must be 0 to {2**32 - 1}.")


def _check_out(out: Path) -> None:
    """Raise CommandError unless a model folder can be put at `out`, where at most another one is."""
    from feedback.training.card import CARD
    from workers.runtimes.folders import ADAPTERS, CONFIG, HEADS, RANGES

    if out.is_mount():
        raise CommandError(f"{out} is a mount point, which cannot be replaced. Name a folder in it.")
    make_folder(out.parent)
    if out.exists():
        make_folder(out)
        if others := {path.name for path in out.iterdir()} - {ADAPTERS, CARD, CONFIG, HEADS, RANGES}:
            raise CommandError(
                f"{out} holds files that are no model's ({min(others)}) and would be lost. Name a folder that is"
                " empty or does not exist."
            )


@contextmanager
def progress_bar(stage: str, total: int) -> Iterator[Callable[[int], object]]:
    """Show a bar on standard error and yield the function that advances it."""
    with tqdm(total=total, desc=stage, unit="text" if stage == "score" else "%") as bar:
        yield bar.update
