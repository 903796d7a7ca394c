"""Tasks of Label Studio as tests write them."""

from __future__ import annotations

import json
from typing import Any

from review.label_studio.importing import Report, import_tasks
from review.label_studio.reading import read_tasks
from review.models import Queue
from tests.factories import Cast
from webapp.interception.models import Check

TEXT = "😀 Write to Ann Lee\r\nat ann@example.com, dear."
HOSTILE = "<script>alert(1)</script>"


def span(start: int, end: int, *names: object, text: str = TEXT, **more: Any) -> dict[str, Any]:
    value = {"start": start, "end": end, "labels": list(names), "text": text[start:end]}
    return {"id": "x", "from_name": "label", "to_name": "text", "type": "labels", "value": value, **more}


def choices(*names: object, control: str = "kind") -> dict[str, Any]:
    return {"from_name": control, "to_name": "text", "type": "choices", "value": {"choices": list(names)}}


def task(*results: dict[str, Any], text: str = TEXT, **data: Any) -> dict[str, Any]:
    return {"id": 7, "data": {"text": text, **data}, "annotations": [{"result": list(results), "was_cancelled": False}]}


def take(cast: Cast, queue: Queue, *tasks: dict[str, Any], **reading_by: Any) -> Report:
    given = read_tasks(json.dumps(list(tasks)).encode(), **reading_by)
    return import_tasks(given, application=cast.application, queue=queue)


def found(check: Check) -> set[tuple[str, int | None, int | None]]:
    rows = check.findings.filter(detector="label_studio").values_list("category", "start", "end")
    return set(rows)
