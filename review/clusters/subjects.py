"""What is compared of an item to find its near-duplicates."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from review.near import MIN_TEXT, bands, folded, key, similarity
from webapp.interception.models import CheckContent

if TYPE_CHECKING:
    from datasketch import MinHash


@dataclass(frozen=True, slots=True)
class Subject:
    """What is compared of an item. A short text comes with its conversation, and is the same only when all is equal."""

    text: str
    near: bool

    def keys(self, blank: MinHash) -> list[int]:
        if not self.text:
            return []
        return bands(self.text, blank) if self.near else [key("exchange", self.text)]

    def similarity(self, other: Subject) -> float:
        if self.near and other.near:
            return similarity(self.text, other.text)
        return float(self == other)


def subject_of(content: CheckContent | None) -> Subject:
    """Return what is compared of a check; an empty text when its texts were erased."""
    if content is None or not (content.output or content.messages):
        return Subject("", near=False)
    output = folded(content.output or "")
    if len(output) >= MIN_TEXT:
        return Subject(output, near=True)
    conversation = folded(json.dumps(content.messages, ensure_ascii=False, sort_keys=True))
    if content.output is None and len(conversation) >= MIN_TEXT:
        return Subject(conversation, near=True)
    return Subject(f"{conversation}\n{output}", near=False)
