"""The rows of the item page: turns of the conversation, findings, categories."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _

from review.definition import Definition
from review.drafts import Draft
from review.reasons import PolicyRule
from review.segments import Segment, kind_of, segments
from review.texts import is_output_span
from screening.findings import OUTPUT
from webapp.interception import texts
from webapp.interception.models import Finding
from webapp.templatetags.terms import term


@dataclass(frozen=True, slots=True)
class Turn:
    """One message of the conversation."""

    number: int
    role: str
    segments: list[Segment]

    @property
    def characters(self) -> int:
        return sum(len(segment.text) for segment in self.segments)


@dataclass(frozen=True, slots=True)
class FindingRow:
    """A finding with what the page adds: its kind, its place, what the reviewer said so far ("keep", "drop", "").

    `explains`: the rule that found it, beside the first finding of each rule that has words for people.
    """

    finding: Finding
    number: int
    kind: str
    where: str
    redactable: bool
    judged: str = ""
    explains: PolicyRule | None = None


@dataclass(frozen=True, slots=True)
class CategoryRow:
    name: str
    key: str
    score: float | None
    labelled: str = ""


def turn(number: int, message: dict[str, Any], findings: list[Finding], numbers: Mapping[int, int]) -> Turn:
    target = f"messages.{number}"
    found = [finding for finding in findings if finding.target == target]
    return Turn(
        number=number,
        role=str(message.get("role", "")),
        segments=segments(message_text(message), found, numbers=numbers),
    )


def message_text(message: dict[str, Any]) -> str:
    """Return what was screened of a chat message, where its findings are; then what is more than text, as JSON."""
    text, partial = texts.message_text(message)
    more = {key: message[key] for key in ("tool_calls", "function_call") if message.get(key)}
    if partial:
        more = {key: value for key, value in message.items() if key != "role"}
    return f"{text}\n{json.dumps(more, ensure_ascii=False, indent=1)}".lstrip("\n") if more else text


def as_text(part: object) -> str:
    if part is None:
        return ""
    if isinstance(part, str):
        return part
    if isinstance(part, dict) and isinstance(part.get("text"), str):
        return str(part["text"])
    return json.dumps(part, ensure_ascii=False)


def finding_row(finding: Finding, number: int, draft: Draft, explains: PolicyRule | None) -> FindingRow:
    judged = {True: "keep", False: "drop", None: ""}[draft.findings.get(finding.id)]
    if finding.target == OUTPUT:
        where = term(OUTPUT) if finding.start is None else f"{finding.start}–{finding.end}"
    else:
        where = _("turn %(number)s") % {"number": finding.target.removeprefix("messages.")}
    return FindingRow(finding, number, kind_of(finding), where, is_output_span(finding), judged, explains)


def category_rows(scores: dict[str, float], schema: Definition, draft: Draft) -> list[CategoryRow]:
    words = {True: "yes", False: "no", None: ""}
    return [
        CategoryRow(
            name=name,
            key=schema.key_of.get(name, ""),
            score=scores.get(name),
            labelled=words[draft.labels.get(name)],
        )
        for name in schema.categories
    ]
