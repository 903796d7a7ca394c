"""The canonical record of a decided item; every export is made of records alone.

Record "record/1" (docs/reference/exports.md names each field). It holds the texts as they were: whoever makes an
export of it decides what of them goes out.
"""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypedDict, cast

import rfc8785

from feedback import labels
from feedback.keys import annotator_ref
from feedback.messages import plain_messages
from feedback.models import Dataset
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


class Pair(TypedDict):
    chosen: str
    rejected: str
    strength: float
    source: str


class RecordSpan(TypedDict):
    """Code points of `output`; `detector` is None for a span that a person found."""

    start: int
    end: int
    label: str
    detector: str | None


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


class Answer(TypedDict):
    """One reviewer's answer; `ref` is a pseudonym."""

    ref: str
    role: str
    verdict: str
    outcome: str
    labels: dict[str, int]
    rubric: dict[str, int]
    confidence: float | None
    assistance: str
    answered_at: str


class PolicyName(TypedDict):
    name: str
    version: int
    sha256: str


class Record(TypedDict):
    schema: str
    id: str
    check: str
    door: str
    group: str
    split: str
    messages: list[Message]
    output: str | None
    output_sha256: str | None
    released: str | None
    correction: str | None
    pairs: list[Pair]
    verdict: str | None
    outcome: str
    method: str
    labels: dict[str, int]
    label_soft: dict[str, float]
    rubric: dict[str, float]
    answers: list[Answer]
    findings: list[RecordFinding]
    spans: list[RecordSpan]
    spans_judged: bool
    assistance: str | None
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
    decision: Decision = item.holding[0]  # type: ignore[attr-defined]  # likewise
    findings = {finding.id: finding for finding in sorted(check.findings.all(), key=lambda f: f.id)}
    judged = labels.judged_findings(item)
    own = [labels.labels_of(answer, judged) for answer in answers]
    spans, spans_judged = labels.agreed_spans(answers, findings)
    kept = labels.kept(answers)
    released = _released(item, decision)
    inclusion = max((trigger.inclusion_prob for trigger in item.triggers.all()), default=check.inclusion_prob)
    return Record(
        schema=SCHEMA,
        id=item.public_id,
        check=check.public_id,
        door=check.door,
        group=place.group,
        split=place.split,
        messages=plain_messages(content.messages),
        output=content.output,
        output_sha256=None if content.output is None else hashlib.sha256(content.output.encode()).hexdigest(),
        released=released,
        correction=_correction(answers, decision, released),
        pairs=_pairs(answers, content.output),
        verdict=labels.verdict_of(answers),
        outcome=decision.outcome,
        method=decision.method,
        labels=labels.agreed(answers, own),
        label_soft=labels.shares(own),
        rubric=labels.rubric_of(answers),
        answers=[_answer(answer, said, pseudonym_key) for answer, said in zip(answers, own, strict=True)],
        findings=[_finding(finding, kept.get(key)) for key, finding in findings.items()],
        spans=[RecordSpan(start=s, end=e, label=name, detector=by or None) for s, e, name, by in spans],
        spans_judged=spans_judged,
        assistance=_assistance(answers),
        inclusion_prob=inclusion,
        sample_weight=1 / inclusion if inclusion > 0 else 0.0,
        policy=_policy(decision),
        model=check.model_version,
        language=item.language,
        purpose=dataset.purpose or None,
        licence=dataset.licence or None,
        consent=None,
        checked_at=_utc(check.created_at),
        decided_at=_utc(decision.created_at),
    )


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


def _correction(answers: Sequence[Annotation], decision: Decision, released: str | None) -> str | None:
    """Return the text of the output as people would have it; of several, the one that went out."""
    texts = [answer.correction.text for answer in answers if hasattr(answer, "correction")]
    if decision.outcome == Outcome.REPLACE and released is not None:
        return released
    return texts[-1] if texts else None


def _pairs(answers: Sequence[Annotation], output: str | None) -> list[Pair]:
    pairs: dict[tuple[str, str], Pair] = {}
    for answer in answers:
        for pair in sorted(answer.pairs.all(), key=lambda pair: pair.id):
            pairs.setdefault(
                (pair.chosen, pair.rejected),
                Pair(chosen=pair.chosen, rejected=pair.rejected, strength=pair.strength, source=pair.source),
            )
        if hasattr(answer, "correction") and output is not None:
            # An edited output is a preference by itself, whether or not review stored it as one.
            text = answer.correction.text
            pairs.setdefault((text, output), Pair(chosen=text, rejected=output, strength=1.0, source="correction"))
    return [pair for pair in pairs.values() if pair["chosen"] != pair["rejected"]]


def _answer(answer: Annotation, own: dict[str, int], key: bytes) -> Answer:
    return Answer(
        ref=annotator_ref(key, answer.reviewer_id),
        role=answer.assignment.role,
        verdict=answer.verdict,
        outcome=answer.outcome,
        labels=own,
        rubric=dict(sorted(answer.rubric.items())),
        confidence=answer.confidence,
        assistance=answer.assistance,
        answered_at=_utc(answer.created_at),
    )


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


def _assistance(answers: Sequence[Annotation]) -> str | None:
    """Return the strongest help that any answer had: a set of answers is blind only if all of them are."""
    order = list(Assistance.values)
    return max((answer.assistance for answer in answers), key=order.index, default=None)


def _policy(decision: Decision) -> PolicyName:
    version = decision.policy_version
    return PolicyName(name=version.policy.name, version=version.version, sha256=version.sha256)


def _utc(moment: dt.datetime) -> str:
    return moment.astimezone(dt.UTC).isoformat(timespec="microseconds")
