"""The figures as files: JSON as they are nested, CSV with a line for each coefficient."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Iterator
from dataclasses import asdict
from typing import Any

from review.agreement.coefficients import RESAMPLES, Estimate
from review.agreement.figures import QueueAgreement
from review.agreement.reading import Choice
from webapp.audit.report.formats import safe_cell
from webapp.audit.report.periods import show_time

COLUMNS = ("queue", "kind", "name", "coefficient", "value", "low", "high", "items")


def as_json(choice: Choice, found: list[QueueAgreement]) -> str:
    return json.dumps(
        {
            "project": choice.project.slug,
            "since": show_time(choice.since),
            "until": show_time(choice.until),
            "blind": choice.blind,
            "interval": {"level": 0.95, "method": "percentile bootstrap by item", "resamples": RESAMPLES},
            "queues": [_queue(one) for one in found],
        },
        ensure_ascii=False,
        indent=1,
    )


def _queue(found: QueueAgreement) -> dict[str, Any]:
    return {
        "queue": found.queue.slug,
        "measures": [asdict(measure) for measure in found.measures],
        "spans": [asdict(measure) for measure in found.spans],
        "pairs": [asdict(measure) for measure in found.pairs],
    }


def as_csv(choice: Choice, found: list[QueueAgreement]) -> str:
    """Return a table with a header; an empty cell is a figure that is not defined."""
    file = io.StringIO()
    writer = csv.writer(file, lineterminator="\r\n")
    writer.writerow(COLUMNS)
    for one in found:
        for kind, name, coefficient, estimate in _lines(one):
            names = (safe_cell(text) for text in (one.queue.slug, kind, name))
            writer.writerow([*names, coefficient, estimate.value, estimate.low, estimate.high, estimate.items])
    return file.getvalue()


def _lines(found: QueueAgreement) -> Iterator[tuple[str, str, str, Estimate]]:
    for measure in found.measures:
        yield measure.kind, measure.name, "same", measure.same
        if measure.cohen:
            yield measure.kind, measure.name, "cohen", measure.cohen
        yield measure.kind, measure.name, "fleiss", measure.fleiss
        yield measure.kind, measure.name, "alpha", measure.alpha
    for spans in found.spans:
        yield "spans", spans.label, "exact_f1", spans.exact
        yield "spans", spans.label, "overlapping_f1", spans.overlapping
    for pair in found.pairs:
        yield "pair", f"{pair.first} / {pair.second}", "cohen", pair.cohen


#: Format to content type and writer.
FORMATS: dict[str, tuple[str, Callable[[Choice, list[QueueAgreement]], str]]] = {
    "json": ("application/json", as_json),
    "csv": ("text/csv; charset=utf-8", as_csv),
}
