"""From the data folder to a model folder: what `manage.py train` runs."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch

from feedback.training.augment import augmented
from feedback.training.calibration import calibrate_all, calibrated
from feedback.training.data import SYNTHETIC, Example, prepare, read_moderation, split, template_of
from feedback.training.embed import embedded, prose_of
from feedback.training.grammar import generate
from feedback.training.joint.loop import Resumed, checkpoint_path, train
from feedback.training.joint.net import JointNet
from feedback.training.joint.recipe import JointRecipe
from feedback.training.joint.rows import TRAINED_WINDOWS, category_rows, joined, span_rows
from feedback.training.joint.tensors import category_logits
from feedback.training.joint.writer import write_model
from feedback.training.labels import Targets, targets
from feedback.training.lexicon import Lexicon
from feedback.training.ranges import add_ranges
from feedback.training.sides import SIDES
from feedback.training.span_sides import SPANS, spans_with_sides
from feedback.training.spans import SpanExample, read_spans
from feedback.training.thresholds import Recommendation, Scored, recommend
from screening.categories import MODEL_CATEGORIES
from workers.runtimes.encoder import load_tokenizer
from workers.runtimes.heads import Calibration, Thresholds
from workers.runtimes.joint import JointConfig

MODERATION, LEXICON = "moderation_train.jsonl.gz", "lexicon_profanity_en.csv"

#: What is read where: injections come in, everything else is looked for in answers.
READ_IN = {
    "answers": [category for category in MODEL_CATEGORIES if category != "prompt_injection"],
    "input": ["prompt_injection"],
}

#: A progress bar for one stage: `with bar("score", 100) as done: done(5)`.
Bar = Callable[[str, int], AbstractContextManager[Callable[[int], object]]]


@dataclass(frozen=True)
class Corpus:
    """Everything that is trained and measured on: labelled texts row by row, and texts with spans.

    A side is "train", "calibration", "test" or "unseen", for sources that are measured on and nothing else.
    """

    examples: list[Example]
    targets: Targets
    sides: np.ndarray
    spans: list[SpanExample]
    span_sides: list[str]

    def rows(self, side: str) -> np.ndarray:
        return np.flatnonzero(self.sides == side)

    def spans_on(self, side: str) -> list[SpanExample]:
        return [e for e, own in zip(self.spans, self.span_sides, strict=True) if own == side]

    def targets_of(self, rows: np.ndarray) -> Targets:
        return Targets(self.targets.value[rows], self.targets.weight[rows], self.targets.some[rows])

    def prose(self, side: str) -> list[str]:
        """Return the answers, documents and prompts of a side that their source calls harmless, and are not foul."""
        rows, foul = self.rows(side), MODEL_CATEGORIES.index("profanity")
        return [
            self.examples[i].text
            for i in rows
            if self.examples[i].kind != "post" and self.examples[i].flag == 0 and not self.targets.value[i, foul]
        ]

    def benign_input(self, rows: np.ndarray) -> np.ndarray:
        """Return which of `rows` are prompts and documents that must not be called injections: their source says so."""
        column = MODEL_CATEGORIES.index("prompt_injection")
        known = (self.targets.weight[rows, column] >= 1.0) & (self.targets.value[rows, column] == 0)
        read = [self.examples[i].kind != "response" and self.examples[i].flag == 0 for i in rows]
        return np.asarray(known & np.array(read, dtype=bool))

    def benign_answers(self, rows: np.ndarray) -> np.ndarray:
        """Return which of `rows` are answers that must raise no alarm: called safe by their source, and not foul.

        DiaSafety judges an answer by what it answers to, and calls some safe that are full of strong language.
        """
        foul = self.targets.value[rows, MODEL_CATEGORIES.index("profanity")] > 0
        answers = [self.examples[i].kind == "response" and self.examples[i].flag == 0 for i in rows]
        return np.asarray(np.array(answers, dtype=bool) & ~foul)


class Learnt(NamedTuple):
    """A trained net, and the file from which the same work would go on."""

    net: JointNet
    checkpoint: Path


@dataclass(frozen=True)
class Trained:
    """A trained net with calibrated scores of every row of `rows` (calibration, test and unseen)."""

    net: JointNet
    calibration: dict[str, Calibration]
    thresholds: dict[str, Thresholds]
    recommendations: dict[str, Recommendation]
    rows: np.ndarray
    scores: np.ndarray


def read_corpus(
    data: Path, *, seed: int, texts_share: float = 1.0, warn: Callable[[str], object] = lambda _: None
) -> Corpus:
    """Read the data folder and add our own texts; `warn` is told what is read and may not be meant.

    Raise OSError or ValueError when a file is missing or is no such, or has too little to train and measure with.
    """
    rows, real = read_moderation(data / MODERATION), read_spans(data / SPANS, warn=warn)
    examples = prepare(rows, seed=seed) + generate(seed=seed, share=texts_share)
    lexicon = Lexicon.read(data / LEXICON) if (data / LEXICON).exists() else None
    sides = np.array(split(examples, seed=seed))
    spans, span_sides = spans_with_sides(real, data, seed=seed, share=texts_share)
    _check_sides(sides, span_sides)
    return Corpus(examples, targets(examples, lexicon), sides, spans, span_sides)


def _check_sides(sides: np.ndarray, span_sides: list[str]) -> None:
    counts = {side: int((sides == side).sum()) for side in SIDES}
    if not all(counts.values()):
        found = ", ".join(f"{count} for {side}" for side, count in counts.items())
        raise ValueError(
            f"its texts do not suffice ({found}): add rows to {MODERATION} that are no near-duplicates, or use more of"
            " our own (--synthetic)"
        )
    if "train" not in span_sides:
        raise ValueError(f"no text with spans is left to train on: add rows to {SPANS}, or use our own (--synthetic)")


def train_net(
    corpus: Corpus,
    *,
    recipe: JointRecipe,
    seed: int,
    device: torch.device,
    checkpoints: Path,
    bar: Bar,
    resumed: Resumed = lambda _done, _total: None,
) -> Learnt:
    """Train on "train", from the checkpoint of the same work where there is one: `resumed` is told where it stands.

    Weights are rounded as stored.
    """
    which, size = corpus.rows("train"), {"window": recipe.window, "overlap": recipe.overlap, "most": TRAINED_WINDOWS}
    texts = augmented([corpus.examples[i].text for i in which], share=recipe.augment, seed=seed)
    texts = embedded(texts, prose_of(corpus.prose("train")), share=recipe.embed, seed=seed)
    tokenizer = load_tokenizer()
    rows = joined(
        category_rows(texts, corpus.targets_of(which), tokenizer=tokenizer, **size),
        span_rows(corpus.spans_on("train"), tokenizer=tokenizer, **size),
    )
    path = checkpoint_path(checkpoints, rows, recipe, seed, device)
    with bar("train", 100) as done:
        shown = 0

        def progress(batch: int, total: int, _loss: float) -> None:
            nonlocal shown
            percent = 100 * batch // total
            done(percent - shown)
            shown = percent

        def going_on(batch: int, total: int) -> None:
            resumed(batch, total)
            progress(batch, total, 0.0)

        net = train(rows, recipe=recipe, seed=seed, device=device, path=path, progress=progress, resumed=going_on)
    with torch.no_grad():
        for tensor in net.trained().values():
            tensor.copy_(tensor.half().float())
    return Learnt(net, path)


def conclude(
    corpus: Corpus, net: JointNet, *, recipe: JointRecipe, seed: int, device: torch.device, bar: Bar
) -> Trained:
    """Calibrate and choose thresholds on "calibration"; score that, "test" and "unseen", every window of them."""
    rows = np.concatenate([corpus.rows(side) for side in ("calibration", "test", "unseen")])
    with bar("score", len(rows)) as done:
        asked = category_rows(
            [corpus.examples[i].text for i in rows],
            corpus.targets_of(rows),
            tokenizer=load_tokenizer(),
            window=recipe.window,
            overlap=recipe.overlap,
        )
        logits = category_logits(net, asked, device=device, progress=done)
    first = slice(0, len(corpus.rows("calibration")))
    known = corpus.targets_of(rows[first])
    calibration = calibrate_all(logits[first], known)
    scores = calibrated(logits, calibration)
    limits = recommended(corpus, rows[first], scores[first], seed=seed)
    return Trained(net, calibration, _in_order(limits), limits, rows, scores)


def recommended(corpus: Corpus, rows: np.ndarray, scores: np.ndarray, *, seed: int) -> dict[str, Recommendation]:
    """Return thresholds for what is read in outputs ("answers") and for injections, which are read in input ("input").

    Outputs must not make injections quiet: an answer in the voice of a jailbreak looks like one.
    """
    known = corpus.targets_of(rows)
    groups = np.array([_group_of(corpus.examples[i]) for i in rows])
    benign = {"answers": corpus.benign_answers(rows), "input": corpus.benign_input(rows)}
    limits = {}
    for name, categories in READ_IN.items():
        own = [MODEL_CATEGORIES.index(category) for category in categories]
        scored = Scored(scores[:, own], known.value[:, own], known.weight[:, own], benign[name], groups)
        limits[name] = recommend(scored, seed=seed)
    return limits


def _in_order(limits: dict[str, Recommendation]) -> dict[str, Thresholds]:
    found = {
        category: threshold
        for name, categories in READ_IN.items()
        for category, threshold in zip(categories, limits[name].thresholds, strict=True)
    }
    return {category: found[category] for category in MODEL_CATEGORIES}


def _group_of(example: Example) -> str:
    return template_of(example) if example.source == SYNTHETIC else example.id


def save(folder: Path, corpus: Corpus, trained: Trained, *, name: str, recipe: JointRecipe, seed: int) -> JointConfig:
    """Write the files of the model `name`, with ranges that are measured on "train"."""
    write_model(
        folder,
        trained.net,
        name=name,
        recipe=recipe,
        seed=seed,
        calibration=trained.calibration,
        thresholds=trained.thresholds,
    )
    texts = [corpus.examples[i].text for i in corpus.rows("train")] + [e.text for e in corpus.spans_on("train")]
    return add_ranges(folder, texts, seed=seed)


def set_deterministic(threads: int) -> None:
    """Make torch repeatable: the same data, seed and thread count give the same bytes."""
    torch.set_num_threads(threads)
    torch.use_deterministic_algorithms(True)
    # Nothing reads memory before it is written; filling it all took a tenth of the time.
    torch.utils.deterministic.fill_uninitialized_memory = False  # type: ignore[attr-defined]
