"""Tasks as Label Studio imports them. Offsets are code points on both sides: its editor converts what browsers count.

The names of the controls are those of `label_config.xml` (config.py).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Any, TypedDict

TEXT = "text"
CONVERSATION = "conversation"
SPANS = "spans"
CATEGORIES = "categories"
VERDICT = "verdict"
OUTCOME = "outcome"
CORRECTION = "correction"
NOTE = "note"
#: Keys of a task's data: what it was made of here, so that it finds back.
CHECK_KEY = "countersign_check"
ITEM_KEY = "countersign_item"
#: Its editor refuses a conversation without lines.
NO_MESSAGES = {"role": "-", "content": "No messages."}
#: What XML 1.0 can not carry, also when it is escaped: a label stands in the configuration too.
_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")

Result = dict[str, Any]


class Task(TypedDict):
    data: dict[str, Any]
    annotations: list[dict[str, Any]]
    predictions: list[dict[str, Any]]


def label_of(name: str) -> str:
    """Return a label as tasks and configuration both can have it."""
    return _NOT_XML.sub("\ufffd", name)


def task(
    *,
    text: str,
    messages: Sequence[dict[str, str]],
    check: str,
    item: str,
    annotations: list[dict[str, Any]],
    predictions: list[dict[str, Any]],
) -> Task:
    """Return a task; `check` and `item` are public ids, `messages` have a role and a content."""
    said = [{"role": message["role"], "content": message["content"]} for message in messages]
    return Task(
        data={TEXT: text, "messages": said or [NO_MESSAGES], CHECK_KEY: check, ITEM_KEY: item},
        annotations=annotations,
        predictions=predictions,
    )


def annotation(results: Iterable[Result]) -> dict[str, Any]:
    """Return what people said; Label Studio wants to know that it was not cancelled, and is no golden answer."""
    return {"result": _numbered(results), "was_cancelled": False, "ground_truth": False}


def prediction(results: Iterable[Result], *, model_version: str, score: float) -> dict[str, Any]:
    """Return what a machine said; `score`, in [0, 1], is what Label Studio sorts by."""
    return {"model_version": model_version, "score": score, "result": _numbered(results)}


def span(text: str, start: int, end: int, label: str) -> Result:
    """Return a marked place of `text`, from `start` to before `end`."""
    value = {"start": start, "end": end, "labels": [label_of(label)], "text": text[start:end]}
    return _result(SPANS, "labels", value)


def choice(control: str, chosen: Sequence[str]) -> Result:
    return _result(control, "choices", {"choices": [label_of(name) for name in chosen]})


def written(control: str, text: str) -> Result:
    return _result(control, "textarea", {"text": [text]})


def _result(control: str, kind: str, value: dict[str, Any]) -> Result:
    return {"id": "", "from_name": control, "to_name": TEXT, "type": kind, "value": value}


def _numbered(results: Iterable[Result]) -> list[Result]:
    # Of one annotation, no two may have the same id; what numbers they are is nobody's business.
    return [result | {"id": f"r{number}"} for number, result in enumerate(results)]
