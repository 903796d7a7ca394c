"""The canonical record of a decided item; every export is made of records alone.

Record "record/1" (docs/reference/exports.md names each field). It holds the texts as they were: whoever makes an
export of it decides what of them goes out.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Any, TypedDict, cast

import rfc8785

from feedback import labels
from feedback.messages import plain_messages
from feedback.models import Dataset
from feedback.moments import in_utc
from feedback.said import Said, said_blind, said_of
from review.models import Annotation, Decision, ReviewItem
from review.models.annotations import Assistance, Outcome
from webapp.interception.models import Finding

SCHEMA = "record/1"


class Message(TypedDict, total=False):
    """A chat message. `content` is text; the others are there when the application sent them."""

    role: str
    content: str
    name: str
    tool_call_id: str
    tool_calls: list[dict[str, Any]]


class RecordFinding(TypedDict):
    """What a rule found; `kept` is what people said of it, None when they said nothing."""

    rule: str
    detector: str
    category: str
    score: float
    target: str
    start: int | None
    end: int | None
    model: str
    kept: bool | None


class PolicyName(TypedDict):
    name: str
    version: int
    sha256: str


class Record(Said):
    """`blind` is what people had said before they saw the machine, if some of them answered again after."""

    schema: str
    id: str
    check: str
    door: str
    group: str
    split: str
    messages: list[Message]
    output: str | None
    output_sha256: str | None
    method: str
    findings: list[RecordFinding]
    blind: Said | None
    inclusion_prob: float
    sample_weight: float
    policy: PolicyName
    model: str
    language: str
    purpose: str | None
    licence: str | None
    consent: str | None
    checked_at: str
    decided_at: str


@dataclass(frozen=True, slots=True)
class Place:
    """Where a record stands in its version."""

    group: str
    split: str


def record_of(item: ReviewItem, *, place: Place, dataset: Dataset, pseudonym_key: bytes) -> Record:
    """Return the record of an item that came with selectors.with_answers."""
    check, content = item.checked, item.checked.content
    answers: list[Annotation] = item.answers  # type: ignore[attr-defined]  # set by with_answers
    first: list[Annotation] = item.blind_answers  # type: ignore[attr-defined]  # likewise
    decision: Decision = item.holding[0]  # type: ignore[attr-defined]  # likewise
    released = _released(item, decision)
    said = said_of(item, answers, outcome=decision.outcome, released=released, pseudonym_key=pseudonym_key)
    kept = labels.kept(answers)
    inclusion = max((trigger.inclusion_prob for trigger in item.triggers.all()), default=check.inclusion_prob)
    return {
        **said,
        "schema": SCHEMA,
        "id": item.public_id,
        "check": check.public_id,
        "door": check.door,
        "group": place.group,
        "split": place.split,
        "messages": plain_messages(content.messages),
        "output": content.output,
        "output_sha256": None if content.output is None else hashlib.sha256(content.output.encode()).hexdigest(),
        "method": decision.method,
        "findings": [_finding(one, kept.get(one.id)) for one in sorted(check.findings.all(), key=lambda f: f.id)],
        "blind": said_blind(item, answers, first, pseudonym_key=pseudonym_key),
        "inclusion_prob": inclusion,
        "sample_weight": 1 / inclusion if inclusion > 0 else 0.0,
        "policy": _policy(decision),
        "model": check.model_version,
        "language": item.language,
        "purpose": dataset.purpose or None,
        "licence": dataset.licence or None,
        "consent": None,
        "checked_at": in_utc(check.created_at),
        "decided_at": in_utc(decision.created_at),
    }


def as_said_blind(record: Record) -> Record | None:
    """Return the record as people had it before they saw the machine; None when not all of them said anything then."""
    if record["assistance"] == Assistance.BLIND:
        return record
    blind = record.get("blind")  # records that were frozen before have none
    if not blind:
        return None
    findings: list[RecordFinding] = [{**finding, "kept": None} for finding in record["findings"]]
    return {**record, **blind, "findings": findings, "blind": None}


def canonical(record: Record) -> str:
    """Return the record as RFC 8785 JSON: one text for one meaning, so that its hash can be trusted."""
    plain = cast(dict[str, Any], record)
    return rfc8785.dumps(plain).decode()


def _released(item: ReviewItem, decision: Decision) -> str | None:
    """Return the text that went out by this decision, None when nothing did."""
    for release in item.checked.releases.all():
        if release.decision_id == decision.id:
            return release.output
    # Its release is not written yet (the time to undo it runs), or there was nothing to change: the machine's stands.
    return item.checked.content.released if decision.outcome in (Outcome.RELEASE, Outcome.REDACT) else None


def _finding(finding: Finding, kept: bool | None) -> RecordFinding:
    return RecordFinding(
        rule=finding.rule,
        detector=finding.detector,
        category=finding.category,
        score=finding.score,
        target=finding.target,
        start=finding.start,
        end=finding.end,
        model=finding.model,
        kept=kept,
    )


def _policy(decision: Decision) -> PolicyName:
    version = decision.policy_version
    return PolicyName(name=version.policy.name, version=version.version, sha256=version.sha256)
