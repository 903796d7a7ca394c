"""The texts of a data folder, as `manage.py train` with the same seed splits it."""

from __future__ import annotations

import functools
from pathlib import Path

from feedback.evaluation.rows import DataError, Row, length
from feedback.selectors import CATEGORIES
from feedback.training.data import SYNTHETIC, Example, prepare, read_moderation, split
from feedback.training.grammar import generate
from feedback.training.labels import close
from feedback.training.pipeline import MODERATION
from feedback.training.span_sides import SPANS, spans_with_sides
from feedback.training.spans import SpanExample, read_spans

#: On which nothing is fitted, calibrated or chosen; and what models are fitted on.
HELD_OUT, TRAINING = frozenset({"test", "unseen"}), frozenset({"train"})


def folder_rows(folder: Path, sides: frozenset[str], *, seed: int) -> list[Row]:
    """Return the rows that training with `seed` puts on `sides`; of our own texts the source names the file.

    Raise DataError when the folder has no training file, or one that is none.
    """
    try:
        texts, spans = _split(folder, seed)
    except FileNotFoundError as error:
        raise DataError(f"{folder} is no data folder: it has no {MODERATION}") from error
    except ValueError as error:
        raise DataError(str(error)) from error
    return [_row(e) for e, side in texts if side in sides] + [_span_row(e) for e, side in spans if side in sides]


@functools.lru_cache(maxsize=1)
def _split(folder: Path, seed: int) -> tuple[list[tuple[Example, str]], list[tuple[SpanExample, str]]]:
    """Return every text of the folder and of our own with its side. Finding near-duplicates takes a minute: once."""
    rows = read_moderation(folder / MODERATION)
    real = read_spans(folder / SPANS) if (folder / SPANS).exists() else []
    examples = prepare(rows, seed=seed) + generate(seed=seed)
    return (
        list(zip(examples, split(examples, seed=seed), strict=True)),
        list(zip(*spans_with_sides(real, folder, seed=seed), strict=True)),
    )


def _row(example: Example) -> Row:
    labels = close(example.labels)
    benign = example.flag == 0 and labels.get("profanity") != 1
    slices = {"source": _source(example), "kind": example.kind, "length": length(example.text)}
    return Row(example.text, {c: v for c, v in labels.items() if c in CATEGORIES}, benign, slices=slices)


def _span_row(example: SpanExample) -> Row:
    slices = {"source": f"{_source(example)} (spans)", "kind": example.kind, "length": length(example.text)}
    return Row(example.text, spans=example.spans, annotated=example.annotated, slices=slices)


def _source(example: Example | SpanExample) -> str:
    """Return the source; of our own texts with their file, because what one model masters another does not."""
    return f"{SYNTHETIC}/{example.id.split(':')[2]}" if example.source == SYNTHETIC else example.source
