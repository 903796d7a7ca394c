"""Rows for a multi-label classifier with a mask: train the guard."""

from __future__ import annotations

from django.utils.translation import gettext_noop

from feedback.exporters.base import Exporter, Row, Skip, column, list_column
from feedback.messages import prompt_of, prompt_text
from feedback.records import Record
from feedback.selectors import CATEGORIES


class MultilabelClassifier(Exporter):
    identifier = "multilabel-classifier"
    title = gettext_noop("Multi-label classifier")
    purpose = gettext_noop(
        "Train or calibrate a guard model. Labels are floats, as Hugging Face's multi_label_classification wants them; "
        "where label_mask is 0 nobody judged the category, and its loss must be left out."
    )
    exposes = gettext_noop(
        "The output as it was (it is what the labels judge); the newest user message with private data taken out."
    )
    features = (
        column("id", "string"),
        column("prompt", "string"),
        column("response", "string"),
        list_column("labels", "float32"),
        list_column("label_mask", "int8"),
        list_column("label_soft", "float32"),
        column("n_annotators", "int32"),
        column("sample_weight", "float64"),
    )

    def rows(self, record: Record) -> list[Row] | Skip:
        columns = label_columns(record)
        if not any(columns["label_mask"]):
            return Skip(gettext_noop("no category was judged"))
        return [
            {
                "id": record["id"],
                "prompt": prompt_text(prompt_of(record)) if record["output"] is not None else _judged_prompt(record),
                "response": record["output"] or "",
                **columns,
                "n_annotators": len(record["answers"]),
                # RFC 8785 writes 1.0 as 1; a column of floats must look like one in every row.
                "sample_weight": float(record["sample_weight"]),
            }
        ]


def label_columns(record: Record) -> dict[str, list[float]]:
    """Return labels, label_mask and label_soft in the order of CATEGORIES; 0 where the mask is 0."""
    labels, soft = record["labels"], record["label_soft"]
    return {
        "labels": [float(labels.get(name, 0)) for name in CATEGORIES],
        "label_mask": [int(name in labels) for name in CATEGORIES],
        "label_soft": [float(soft[name]) if name in labels else 0.0 for name in CATEGORIES],
    }


def _judged_prompt(record: Record) -> str:
    """Return the newest user message as it was: without an output, it is what the labels judge."""
    return prompt_text(record["messages"])
