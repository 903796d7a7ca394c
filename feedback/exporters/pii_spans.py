"""Spans of private data in outputs: train a token classifier."""

from __future__ import annotations

from django.utils.translation import gettext_noop

from feedback.exporters.base import Exporter, Row, Skip, column, list_column
from feedback.messages import PRIVATE
from feedback.records import Record
from feedback.said import RecordSpan
from feedback.selectors import CATEGORIES
from review.imported import DETECTOR


class PIISpans(Exporter):
    identifier = "pii-spans"
    title = gettext_noop("PII spans")
    purpose = gettext_noop(
        "Train or measure detectors of private data. Offsets count code points, as Python strings do. A row without "
        "spans is an output whose findings people all dropped; outputs in which nobody judged a span are left out."
    )
    exposes = gettext_noop("The output as it was, with the private data: that is what it is about.")
    features = (
        column("id", "string"),
        column("text", "string"),
        list_column(
            "spans",
            (column("start", "int64"), column("end", "int64"), column("label", "string"), column("text", "string")),
        ),
        column("offset_unit", "string"),
    )

    def rows(self, record: Record) -> list[Row] | Skip:
        text = record["output"]
        if text is None:
            return Skip(gettext_noop("no output"))
        if not _judged(record):
            return Skip(gettext_noop("no span of private data was judged"))
        spans = [
            {"start": s["start"], "end": s["end"], "label": s["label"], "text": text[s["start"] : s["end"]]}
            for s in record["spans"]
            if _private(s)
        ]
        return [{"id": record["id"], "text": text, "spans": spans, "offset_unit": "codepoint"}]


def _private(span: RecordSpan) -> bool:
    """Whether a span is of a detector of private data, or was marked by a person, here or elsewhere, as an entity."""
    return _about_private(span["detector"], span["label"])


def _about_private(detector: str | None, label: str) -> bool:
    return label not in CATEGORIES if detector in (None, DETECTOR) else detector in PRIVATE


def _judged(record: Record) -> bool:
    found = (f for f in record["findings"] if f["target"] == "output" and _about_private(f["detector"], f["category"]))
    judged = any(f["start"] is not None and f["kept"] is not None for f in found)
    return judged or any(_private(span) for span in record["spans"])
