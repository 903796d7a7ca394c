"""Spans and a text in, the redacted text out."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

MASK_KEEPS = 4


@dataclass(frozen=True, slots=True)
class RedactionSpan:
    """What to take out: code-point offsets, the label that stands in, and how."""

    start: int
    end: int
    label: str
    action: Literal["redact", "mask", "hash"]


#: Of spans that overlap, the method that shows least wins.
_SHOWS_LEAST = {"redact": 0, "hash": 1, "mask": 2}


def redact(text: str, spans: Iterable[RedactionSpan], key: bytes) -> str:
    """Return `text` with every span replaced.

    redact: `[LABEL]`. mask: `*` for all letters and digits but the last four, which stay only if they are at most half
    of the span. hash: `[LABEL:8 hex digits]` of an HMAC under `key`, so that equal values stay equal within a project.
    Overlapping spans become one, under the label of the longest and the method that shows least.
    """
    parts: list[str] = []
    at = 0
    for span in merge(spans, len(text)):
        parts.append(text[at : span.start])
        parts.append(_replacement(text[span.start : span.end], span, key))
        at = span.end
    parts.append(text[at:])
    return "".join(parts)


def merge(spans: Iterable[RedactionSpan], length: int) -> list[RedactionSpan]:
    """Return disjoint spans within [0, length), in order, that cover all of `spans`."""
    merged: list[list[RedactionSpan]] = []
    end = -1
    for span in sorted(spans, key=lambda span: (span.start, -span.end)):
        if span.start < 0 or span.start >= min(span.end, length):
            continue
        if span.start < end:
            merged[-1].append(span)
        else:
            merged.append([span])
        end = max(end, span.end)
    return [_united(group, length) for group in merged]


def _united(group: list[RedactionSpan], length: int) -> RedactionSpan:
    longest = max(group, key=lambda span: span.end - span.start)
    return RedactionSpan(
        start=min(span.start for span in group),
        end=min(length, max(span.end for span in group)),
        label=longest.label,
        action=min((span.action for span in group), key=_SHOWS_LEAST.__getitem__),
    )


def _replacement(value: str, span: RedactionSpan, key: bytes) -> str:
    if span.action == "redact":
        return f"[{span.label}]"
    if span.action == "hash":
        digest = hmac.new(key, f"{span.label}\0{value}".encode(), hashlib.sha256).hexdigest()
        return f"[{span.label}:{digest[:8]}]"
    shown = MASK_KEEPS if sum(char.isalnum() for char in value) >= 2 * MASK_KEEPS else 0
    return _masked(value, shown)


def _masked(value: str, shown: int) -> str:
    result: list[str] = []
    for char in reversed(value):
        if not char.isalnum():
            result.append(char)
        elif shown:
            result.append(char)
            shown -= 1
        else:
            result.append("*")
    return "".join(reversed(result))
