"""Chat messages as records and exports have them, and what is taken out of prompts."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from screening.redaction import RedactionSpan, redact
from webapp.interception.texts import content_text

if TYPE_CHECKING:
    from feedback.records import Message, Record

#: Detectors whose findings name private data.
PRIVATE = ("pii", "secrets")
#: RFC 8785 numbers are IEEE doubles: larger integers become text.
MAX_INTEGER = 2**53 - 1


def plain_messages(messages: Sequence[dict[str, Any]]) -> list[Message]:
    """Return messages with text content, and name, tool_call_id and tool_calls where they are given.

    Offsets of findings fit: content is read as it was for screening. Parts that are not text are left out.
    """
    return [_plain(message) for message in messages]


def _plain(message: dict[str, Any]) -> Message:
    plain: Message = {"role": str(message.get("role", "")), "content": content_text(message.get("content"))}
    if isinstance(name := message.get("name"), str):
        plain["name"] = name
    if isinstance(call := message.get("tool_call_id"), str):
        plain["tool_call_id"] = call
    if isinstance(calls := message.get("tool_calls"), list) and calls:
        plain["tool_calls"] = [_canonical(call) for call in calls if isinstance(call, dict)]
    return plain


def _canonical(value: Any) -> Any:
    """Return JSON whose numbers RFC 8785 can write."""
    if isinstance(value, dict):
        return {key: _canonical(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_canonical(inner) for inner in value]
    too_large = isinstance(value, int) and not isinstance(value, bool) and abs(value) > MAX_INTEGER
    return str(value) if too_large or (isinstance(value, float) and not math.isfinite(value)) else value


def prompt_of(record: Record) -> list[Message]:
    """Return the conversation before the output, without the private data that the check found in it.

    A finding stays redacted unless people said that it was wrong. Only what was screened is covered: the newest turn.
    """
    return [_redacted(record, index, message) for index, message in enumerate(record["messages"])]


def _redacted(record: Record, index: int, message: Message) -> Message:
    spans = [
        RedactionSpan(start=finding["start"], end=finding["end"], label=finding["category"], action="redact")
        for finding in record["findings"]
        if finding["target"] == f"messages.{index}"
        and finding["detector"] in PRIVATE
        and finding["kept"] is not False
        and finding["start"] is not None
        and finding["end"] is not None
    ]
    if not spans:
        return message
    content = message["content"]
    clean: Message = {**message, "content": redact(content, spans, b"")}
    if any(span.end > len(content) for span in spans):
        clean.pop("tool_calls", None)  # it was found in what they were given, which was screened after the content
    return clean


def prompt_text(messages: Sequence[Message]) -> str:
    """Return the newest user message, "" when there is none."""
    return next((m["content"] for m in reversed(messages) if m["role"] == "user"), "")
