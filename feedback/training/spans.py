"""Texts with the places of personal data, for the token head: read from files, in code points."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from feedback.training.lines import objects

#: What the token head finds. Patterns with checksums do the rest.
PII_LABELS = ("PERSON", "LOCATION", "ORGANIZATION", "ADDRESS", "DATE_TIME")
_SLOT = re.compile(r"\{\{.*?\}\}")


@dataclass(frozen=True, slots=True)
class TextSpan:
    """`text[start:end]` is a `label`, in code points."""

    start: int
    end: int
    label: str


@dataclass(frozen=True, slots=True)
class SpanExample:
    """One text with its spans, in order and apart. A label that is not in `annotated` is unknown, not absent.

    `form`: the template that it was made of, with empty slots, where that is known.
    """

    id: str
    source: str
    kind: str
    text: str
    licence: str
    spans: tuple[TextSpan, ...]
    annotated: frozenset[str] = frozenset(PII_LABELS)
    form: str = ""


def read_spans(path: Path) -> list[SpanExample]:
    """Read `pii_train.jsonl.gz`, without spans of other labels. Raise OSError, or ValueError naming a bad line.

    Text that stays after a label which is none of ours (a title, a product) was looked at, and is no entity.
    """
    examples = []
    for number, row in objects(path):
        try:
            text, types = row["text"], row["annotated_types"]
            spans = [TextSpan(s["start"], s["end"], s["label"]) for s in row["spans"] if s["label"] in PII_LABELS]
            annotated = frozenset(PII_LABELS if types == "all" else types) & frozenset(PII_LABELS)
            name, source, licence, form = row["id"], row["source"], row["licence"], form_of(row.get("template", ""))
            examples.append(SpanExample(name, source, "fragment", text, licence, whole(text, spans), annotated, form))
        except (ValueError, KeyError, TypeError) as error:
            raise ValueError(f"{path}, line {number}: is not a row with spans") from error
    return examples


def form_of(template: str) -> str:
    """Return a template with {{slots}} as it is whatever they are called."""
    return _SLOT.sub("{}", template)


def whole(text: str, spans: Sequence[TextSpan]) -> tuple[TextSpan, ...]:
    """Return spans of `text` in order and apart, as a reader would mark them.

    Of two that overlap the longer stays. An address is one span, also where its source marked house number, street and
    flat by themselves. What has no letter and no digit, such as the "@" that some mark before a name, is no entity.
    """
    kept: list[TextSpan] = []
    for span in sorted(spans, key=lambda s: (s.start - s.end, s.start)):
        apart = all(span.end <= other.start or other.end <= span.start for other in kept)
        if apart and any(character.isalnum() for character in text[span.start : span.end]):
            kept.append(span)
    joined: list[TextSpan] = []
    for span in sorted(kept, key=lambda s: s.start):
        last = joined[-1] if joined else None
        if last and last.label == span.label == "ADDRESS" and not text[last.end : span.start].strip():
            joined[-1] = TextSpan(last.start, span.end, span.label)
        else:
            joined.append(span)
    return tuple(joined)
