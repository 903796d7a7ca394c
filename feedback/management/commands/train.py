"""`manage.py train`: fit the guard model's heads, measure them, and write the folder that workers load."""

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

if TYPE_CHECKING:
    from feedback.training.pipeline import Corpus, Trained

TRAFFIC = "traffic_replay.jsonl.gz"
PACKAGES = ("torch", "transformers", "tokenizers", "scikit-learn", "numpy")


class Command(BaseCommand):
    help = "Train the heads of the guard model from a data folder, print their scores and write their model card."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.formatter_class = argparse.ArgumentDefaultsHelpFormatter
        parser.add_argument("--data", type=Path, required=True, help="folder with moderation_train.jsonl.gz")
        parser.add_argument("--out", type=Path, required=True, help="folder to write the heads to")
        parser.add_argument("--seed", type=int, default=7)
        parser.add_argument("--threads", type=int, default=os.cpu_count() or 1)
        parser.add_argument("--device", default="cpu", help="where to encode: cpu, cuda or auto")
        parser.add_argument("--synthetic", type=float, default=1.0, help="share of our own texts to use, 0 to 1")
        parser.add_argument("--cache", type=Path, default=settings.HOME / "cache" / "features")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            from feedback.training import pipeline
        except ImportError as error:
            raise CommandError(f"Training needs {error.name}. Install it: pip install -e '.[train]'") from error
        from feedback.training.recipe import RECIPE, SPEC

        started = time.monotonic()
        pipeline.set_deterministic(options["threads"])
        try:
            corpus = pipeline.read_corpus(options["data"], seed=options["seed"], texts_share=options["synthetic"])
        except (OSError, ValueError) as error:
            raise CommandError(f"The data folder cannot be used: {error}") from error
        data = pipeline.encode_corpus(
            corpus, spec=SPEC, cache=options["cache"], device=options["device"], bar=progress_bar
        )
        trained = pipeline.train(corpus, data, spec=SPEC, recipe=RECIPE, seed=options["seed"], bar=progress_bar)
        config = pipeline.save(options["out"], trained, spec=SPEC)
        self._report(corpus, data, trained, config, options)
        self.stdout.write(f"{options['out']} written in {time.monotonic() - started:.0f} s: {config.heads_sha256}")

    def _report(self, corpus: Corpus, data: Any, trained: Trained, config: Any, options: dict[str, Any]) -> None:
        from feedback.training import card, report
        from feedback.training.baseline import tfidf_scores
        from feedback.training.fresh import fresh_alarms
        from feedback.training.lexicon import Lexicon
        from feedback.training.pipeline import LEXICON, MODERATION
        from feedback.training.recipe import RECIPE, SPEC
        from feedback.training.traffic import traffic_flag_rate
        from feedback.training.unseen import unseen_sources

        seed = options["seed"]
        texts = [e.text for e in corpus.examples]
        baseline = tfidf_scores(texts, corpus.targets, corpus.rows("train"), corpus.rows("test"))
        categories = report.category_rows(corpus, trained, baseline, seed=seed)
        sources = report.source_rows(corpus, trained)
        benign, alarms = report.false_alarms(corpus, trained)
        unseen = unseen_sources(corpus, data, spec=SPEC, recipe=RECIPE, seed=seed, bar=progress_bar)
        traffic, words = options["data"] / TRAFFIC, options["data"] / LEXICON
        lexicon = Lexicon.read(words) if words.exists() else None
        fresh = fresh_alarms(options["data"] / MODERATION, lexicon, options["out"], seed=seed)
        facts = card.Facts(
            command=f"python manage.py train --data {options['data']} --out {options['out']} --seed {seed}"
            f" --threads {options['threads']} --synthetic {options['synthetic']}",
            seed=seed,
            versions={"python": platform.python_version()} | {p: version(p) for p in PACKAGES},
            benign=benign,
            alarms=alarms,
            unseen=unseen,
            traffic=traffic_flag_rate(traffic, options["out"], seed=seed) if traffic.exists() else None,
            fresh=fresh,
        )
        card.write_card(
            options["out"],
            config=config,
            corpus=corpus,
            trained=trained,
            categories=categories,
            sources=sources,
            facts=facts,
        )
        self.stdout.write(card.scores_table(categories))
        for source, answers, reached, share in fresh:
            self.stdout.write(
                f"{reached} of {answers} benign answers of {source} that took no part are flagged ({share})"
            )
        self.stdout.write(f"\n{alarms:.2%} of {benign} benign assistant answers reach a flag threshold\n")


@contextmanager
def progress_bar(stage: str, total: int) -> Iterator[Callable[[int], object]]:
    """Show a bar on standard error and yield the function that advances it."""
    with tqdm(total=total, desc=stage, unit="text" if stage == "encode" else "batch") as bar:
        yield bar.update
