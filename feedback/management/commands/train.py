"""`manage.py train`: train the guard model, measure it, and write the folder that workers load."""

from __future__ import annotations

import argparse
import os
import platform
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

if TYPE_CHECKING:
    from feedback.training.pipeline import Corpus, Trained
    from workers.runtimes.joint import JointConfig

TRAFFIC = "traffic_replay.jsonl.gz"
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
        try:
            from feedback.training import pipeline
        except ImportError as error:
            raise CommandError(f"Training needs {error.name}. Install it: pip install -e '.[train]'") from error
        from feedback.training.joint.recipe import RECIPE
        from feedback.training.traffic import replayed

        started = time.monotonic()
        device = find_device(options["device"])
        pipeline.set_deterministic(options["threads"])
        try:
            corpus = pipeline.read_corpus(
                options["data"], seed=options["seed"], texts_share=options["synthetic"], warn=self.stderr.write
            )
            responses = replayed(options["data"] / TRAFFIC, seed=options["seed"])
        except (OSError, ValueError) as error:
            raise CommandError(f"The data folder cannot be used: {error}") from error
        make_folder(options["out"])
        make_folder(options["checkpoints"])
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
        config = pipeline.save(options["out"], corpus, trained, recipe=RECIPE, seed=options["seed"])
        self._report(corpus, trained, config, responses, options)
        # It holds nothing that the folder lacks, and would stand in for the next training.
        checkpoint.unlink(missing_ok=True)
        self.stdout.write(f"{options['out']} written in {time.monotonic() - started:.0f} s: {config.version}")

    def _resumed(self, done: int, total: int) -> None:
        with tqdm.external_write_mode():
            self.stderr.write(f"Going on from a checkpoint of this very run: {done} of {total} batches are done.")

    def _report(
        self, corpus: Corpus, trained: Trained, config: JointConfig, responses: list[str], options: dict[str, Any]
    ) -> None:
        import numpy as np

        from feedback.training import card, report
        from feedback.training.embedding_figures import mean_cosine
        from feedback.training.fresh import fresh_alarms
        from feedback.training.joint.recipe import RECIPE
        from feedback.training.lexicon import Lexicon
        from feedback.training.pipeline import LEXICON, MODERATION
        from feedback.training.span_figures import span_figures
        from feedback.training.traffic import traffic_flag_rate

        seed, out = options["seed"], options["out"]
        test = corpus.rows("test")
        asked = np.concatenate([test, corpus.rows("unseen")])
        baseline = report.baseline_scores(corpus, asked)
        categories = report.category_rows(corpus, trained, baseline[: len(test)], seed=seed)
        benign, alarms = report.false_alarms(corpus, trained)
        words = options["data"] / LEXICON
        lexicon = Lexicon.read(words) if words.exists() else None
        facts = card.Facts(
            command=f"python manage.py train --data {options['data']} --out {out} --seed {seed}"
            f" --threads {options['threads']} --device {options['device']} --synthetic {options['synthetic']}",
            seed=seed,
            recipe=f"{RECIPE}.",
            versions={"python": platform.python_version()} | {p: version(p) for p in PACKAGES},
            benign=benign,
            alarms=alarms,
            input=report.input_alarms(corpus, trained),
            unseen=report.unseen_rows(corpus, trained, baseline[len(test) :], seed=seed),
            spans=span_figures(corpus.spans_on("test"), out),
            traffic=traffic_flag_rate(responses, out) if responses else None,
            fresh=fresh_alarms(options["data"] / MODERATION, lexicon, out, seed=seed),
            cosine=mean_cosine([corpus.examples[i].text for i in test], out),
        )
        card.write_card(
            out,
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


@contextmanager
def progress_bar(stage: str, total: int) -> Iterator[Callable[[int], object]]:
    """Show a bar on standard error and yield the function that advances it."""
    with tqdm(total=total, desc=stage, unit="text" if stage == "score" else "%") as bar:
        yield bar.update
