"""The whole record as a Hugging Face dataset: Parquet shards and a card with explicit features."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext_noop

from feedback.exporters.base import Exporter, Row, class_column, column, list_column, struct_column
from feedback.exporters.multilabel_classifier import label_columns
from feedback.records import Record
from review.models.annotations import AnnotationVerdict, Assistance, Outcome
from review.models.decisions import Method

_TIME = "timestamp[us, tz=UTC]"
_VERDICT = class_column("verdict", AnnotationVerdict.values)
_ASSISTANCE = class_column("assistance", Assistance.values)
_ANSWER = (
    column("ref", "string"),
    column("role", "string"),
    _VERDICT,
    column("outcome", "string"),
    list_column("labels", (column("category", "string"), column("value", "int8"))),
    list_column("rubric", (column("question", "string"), column("points", "int8"))),
    column("confidence", "float64"),
    _ASSISTANCE,
    column("answered_at", _TIME),
)


class HuggingFace(Exporter):
    identifier = "huggingface"
    title = gettext_noop("Hugging Face folder")
    purpose = gettext_noop(
        "Keep, explore or hand on everything that was decided: one row a record, every field, every answer."
    )
    exposes = gettext_noop("All texts as they were, with their private data. Reviewers are pseudonyms.")
    file_type = "parquet"
    features = (
        column("id", "string"),
        column("check", "string"),
        column("door", "string"),
        column("group", "string"),
        list_column(
            "messages",
            (
                column("role", "string"),
                column("content", "string"),
                column("name", "string"),
                column("tool_call_id", "string"),
                column("tool_calls", "string"),
            ),
        ),
        column("output", "string"),
        column("output_sha256", "string"),
        column("released", "string"),
        column("correction", "string"),
        list_column(
            "pairs",
            (
                column("chosen", "string"),
                column("rejected", "string"),
                column("strength", "float64"),
                column("source", "string"),
            ),
        ),
        _VERDICT,
        class_column("outcome", Outcome.values),
        class_column("method", Method.values),
        list_column("labels", "float32"),
        list_column("label_mask", "int8"),
        list_column("label_soft", "float32"),
        list_column("judged", (column("category", "string"), column("value", "int8"), column("share", "float64"))),
        list_column("rubric", (column("question", "string"), column("points", "float64"))),
        list_column("answers", _ANSWER),
        list_column("blind_answers", _ANSWER),
        list_column(
            "findings",
            (
                column("rule", "string"),
                column("detector", "string"),
                column("category", "string"),
                column("score", "float64"),
                column("target", "string"),
                column("start", "int64"),
                column("end", "int64"),
                column("model", "string"),
                column("kept", "bool"),
            ),
        ),
        list_column(
            "spans",
            (column("start", "int64"), column("end", "int64"), column("label", "string"), column("detector", "string")),
        ),
        column("spans_judged", "bool"),
        _ASSISTANCE,
        column("inclusion_prob", "float64"),
        column("sample_weight", "float64"),
        struct_column("policy", (column("name", "string"), column("version", "int32"), column("sha256", "string"))),
        column("model", "string"),
        column("language", "string"),
        column("purpose", "string"),
        column("licence", "string"),
        column("consent", "string"),
        column("checked_at", _TIME),
        column("decided_at", _TIME),
    )

    def rows(self, record: Record) -> list[Row]:
        # Versions that were frozen before records had it do not say through which API a check came.
        row: dict[str, Any] = {"door": None, **record}
        row["messages"] = [_message(dict(message)) for message in record["messages"]]
        row.update(label_columns(record))
        row["judged"] = [
            {"category": name, "value": record["labels"].get(name), "share": share}
            for name, share in record["label_soft"].items()
        ]
        row["rubric"] = _points(record.get("rubric", {}))
        row["answers"] = [_answer(dict(answer)) for answer in record["answers"]]
        first = row.pop("blind", None)
        row["blind_answers"] = [_answer(dict(answer)) for answer in first["answers"]] if first else []
        for name in ("checked_at", "decided_at"):
            row[name] = dt.datetime.fromisoformat(row[name])
        return [row]


def _points(rubric: Mapping[str, float]) -> list[Row]:
    # Records that were frozen before rubrics were exported have none.
    return [{"question": name, "points": points} for name, points in rubric.items()]


def _message(message: dict[str, Any]) -> Row:
    # Tool calls have no fixed type: as JSON in a string every version of every reader takes them.
    calls = message.get("tool_calls")
    return message | {"tool_calls": json.dumps(calls, ensure_ascii=False) if calls else None}


def _answer(answer: dict[str, Any]) -> Row:
    labels = [{"category": name, "value": value} for name, value in answer["labels"].items()]
    rubric = _points(answer.get("rubric", {}))
    return answer | {
        "labels": labels,
        "rubric": rubric,
        "answered_at": dt.datetime.fromisoformat(answer["answered_at"]),
    }
