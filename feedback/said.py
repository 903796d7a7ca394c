"""What people said of an item: the part of a record that is made of answers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypedDict

from feedback import labels
from feedback.keys import annotator_ref
from feedback.moments import in_utc
from review.models import Annotation, ReviewItem
from review.models.annotations import Assistance, Outcome
from review.models.items import SlotRole
from review.services.decisions import agreement, released_text


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


class Said(TypedDict):
    released: str | None
    correction: str | None
    pairs: list[Pair]
    verdict: str | None
    outcome: str
    labels: dict[str, int]
    label_soft: dict[str, float]
    rubric: dict[str, float]
    answers: list[Answer]
    spans: list[RecordSpan]
    spans_judged: bool
    assistance: str | None


def said_of(
    item: ReviewItem, answers: Sequence[Annotation], *, outcome: str, released: str | None, pseudonym_key: bytes
) -> Said:
    """Return what `answers` say of an item that came with selectors.with_answers."""
    judged = labels.judged_findings(item)
    own = [labels.labels_of(answer, judged) for answer in answers]
    spans, spans_judged = labels.agreed_spans(answers, {finding.id: finding for finding in item.checked.findings.all()})
    return Said(
        released=released,
        correction=_correction(answers, outcome, released),
        pairs=_pairs(answers, item.checked.content.output),
        verdict=labels.verdict_of(answers),
        outcome=outcome,
        labels=labels.agreed(answers, own),
        label_soft=labels.shares(own),
        rubric=labels.rubric_of(answers),
        answers=[_answer(answer, said, pseudonym_key) for answer, said in zip(answers, own, strict=True)],
        spans=[RecordSpan(start=s, end=e, label=name, detector=by or None) for s, e, name, by in spans],
        spans_judged=spans_judged,
        assistance=_assistance(answers),
    )


def said_blind(
    item: ReviewItem, answers: Sequence[Annotation], blind: Sequence[Annotation], *, pseudonym_key: bytes
) -> Said | None:
    """Return what people had said `blind`, when they answered again after: `answers` are those that count.

    None when all that count were given blind, when one is of somebody who gave none, and when the blind ones would have
    decided nothing.
    """
    first = {answer.reviewer_id for answer in blind}
    if _assistance(answers) == Assistance.BLIND or any(answer.reviewer_id not in first for answer in answers):
        return None
    agreeing = _deciding(item, blind)
    if not agreeing:
        return None
    outcome = Outcome(agreeing[0].outcome)
    text = None if item.checked.content.output is None else released_text(item, outcome, agreeing)
    return said_of(item, blind, outcome=outcome, released=text, pseudonym_key=pseudonym_key)


def _deciding(item: ReviewItem, answers: Sequence[Annotation]) -> list[Annotation]:
    ruling = [answer for answer in answers if answer.assignment.role == SlotRole.ADJUDICATOR and answer.outcome]
    return ruling or agreement(answers, threshold=item.queue.consensus_threshold)


def _correction(answers: Sequence[Annotation], outcome: str, released: str | None) -> str | None:
    """Return the text of the output as people would have it; of several, the one that went out."""
    texts = [answer.correction.text for answer in answers if hasattr(answer, "correction")]
    if outcome == Outcome.REPLACE and released is not None:
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
        answered_at=in_utc(answer.created_at),
    )


def _assistance(answers: Sequence[Annotation]) -> str | None:
    """Return the strongest help that any answer had: a set of answers is blind only if all of them are."""
    order = list(Assistance.values)
    return max((answer.assistance for answer in answers), key=order.index, default=None)
