"""How well a model folder finds the spans of texts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from feedback.evaluation.tables import figure
from feedback.training.spans import SpanExample
from screening.categories import MODEL_ENTITIES
from workers.runtimes.guard import EncoderGuard


def span_figures(examples: Sequence[SpanExample], folder: Path) -> list[tuple[str, str, int, str, str, str]]:
    """Return (source, entity, spans, precision, recall, F1) of exact spans, where a source has five of an entity.

    An entity counts in texts in which somebody looked for it. Runs the model as workers do.
    """
    guard = EncoderGuard(folder, device="cpu")
    counts: dict[tuple[str, str], Counter[str]] = {}
    for example, prediction in zip(examples, guard.predict([e.text for e in examples]), strict=True):
        found = {(s.start, s.end, s.label) for s in prediction.spans or ()}
        true = {(s.start, s.end, s.label) for s in example.spans}
        for entity in example.annotated:
            count = counts.setdefault((example.source, entity), Counter())
            count["true"] += (own := sum(label == entity for *_, label in true))
            count["found"] += sum(label == entity for *_, label in found)
            count["hit"] += own - sum(label == entity for *_, label in true - found)
    return [
        (source, entity, count["true"], *_rates(count))
        for source, entity in sorted(counts, key=lambda key: (key[0], MODEL_ENTITIES.index(key[1])))
        if (count := counts[source, entity])["true"] >= 5
    ]


def _rates(count: Counter[str]) -> tuple[str, str, str]:
    precision, recall = count["hit"] / max(1, count["found"]), count["hit"] / count["true"]
    return figure(precision), figure(recall), figure(2 * count["hit"] / (count["found"] + count["true"]))
