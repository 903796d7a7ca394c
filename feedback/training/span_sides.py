"""Every text with spans, of the data folder and of our own, with its side."""

from __future__ import annotations

from pathlib import Path

from feedback.training.data import split
from feedback.training.pii_grammar import generate_spans
from feedback.training.spans import SpanExample
from feedback.training.templates import filled, read_templates

SPANS, TEMPLATES = "pii_train.jsonl.gz", "presidio_templates_train_half.txt"
#: Texts of each template of the folder.
EACH = 80


def spans_with_sides(
    real: list[SpanExample], data: Path, *, seed: int, share: float = 1.0
) -> tuple[list[SpanExample], list[str]]:
    """Return the texts `real`, `share` of our own and of those made of the folder's templates, and a side for each.

    What was made of one template, or of two that are nearly the same, is on one side, whoever made it. Raise OSError
    or ValueError when the file of templates is no such; there need be none.
    """
    templates = read_templates(data / TEMPLATES) if (data / TEMPLATES).exists() else []
    made = filled(templates, seed=seed, each=round(EACH * share))
    examples = [*real, *generate_spans(seed=seed, share=share), *made]
    return examples, split(examples, seed=seed, forms=[e.form or e.text for e in examples])
