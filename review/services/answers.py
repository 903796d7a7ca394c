"""Check answers against their item, and store them with everything that hangs on them."""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.db.models import F
from django.utils.translation import gettext
from django.utils.translation import gettext as _

from review.candidates import checked_preference, store_preference
from review.definition import Definition, read_definition
from review.errors import InvalidAnswer
from review.models import (
    Annotation,
    Assignment,
    Correction,
    Decision,
    FindingVerdict,
    PreferencePair,
    Queue,
    ReviewItem,
    SpanAnnotation,
)
from review.models.annotations import Assistance, Outcome
from review.reasons import checked_statement, chosen_rules, compose
from review.spans import MarkedSpan, changed_spans
from review.texts import is_output_span, restore_newlines, same_but_newlines, sha256_text
from webapp.accounts.models import User
from webapp.interception.models import Finding
from webapp.templatetags.terms import term

if TYPE_CHECKING:
    from review.services.submission import Answer

MAX_NOTE = 10_000
MAX_CORRECTION_BYTES = 1024 * 1024


@dataclass(frozen=True, slots=True)
class CheckedAnswer:
    """An answer that fits its item: which findings are right, what was marked, the correction as it will go out."""

    findings: dict[int, Finding]
    kept: dict[int, bool]
    spans: list[MarkedSpan]
    labels: dict[str, bool]
    rationale: str
    reasons: list[str]
    statement: str
    statement_edited: bool
    preference: str
    correction: str | None


def validate_answer(*, item: ReviewItem, answer: Answer, assistance: Assistance = Assistance.SHOWN) -> CheckedAnswer:
    """Return the answer with what follows from it filled in; raise InvalidAnswer when it does not fit the item.

    A blind answer says nothing of findings: its reviewer did not see them.
    """
    if answer.outcome and answer.outcome not in Outcome.values:
        raise InvalidAnswer(gettext("Choose one of: release, redact, replace, block, unsure."))
    schema = read_definition(item.queue.label_schema.definition)
    rationale = _fit_schema(answer, schema)
    categories = schema.categories
    if unknown := set(answer.labels) - set(categories):
        raise InvalidAnswer(
            _("%(number)s of the categories are not in this queue's label schema.") % {"number": len(unknown)}
        )
    findings = {finding.id: finding for finding in item.checked.findings.all()}
    blind = assistance == Assistance.BLIND
    if set(answer.findings) - (set() if blind else set(findings)):
        raise InvalidAnswer(gettext("One of the findings does not belong to this item."))
    output = item.checked.content.output
    seen = {} if blind else findings
    spans = changed_spans(answer.spans, output=output, findings=seen, kept=answer.findings, schema=schema)
    kept = _kept(answer, findings, spans)
    if blind:
        kept = {}
    rules = chosen_rules(item.checked.policy_version, answer.reasons)
    _require_reason(answer, item.queue)
    composed = compose(
        outcome=answer.outcome, rules=rules, labels=_in_order(answer, categories), snippets=answer.snippets
    )
    statement, edited = checked_statement(answer.statement, composed)
    return CheckedAnswer(
        findings=findings,
        kept=kept,
        spans=spans,
        labels=implied_labels(kept, findings, spans, categories) | dict(answer.labels),
        rationale=rationale,
        reasons=[rule.id for rule in rules],
        statement=statement,
        statement_edited=edited,
        preference=checked_preference(item, answer.preference),
        correction=checked_correction(item, answer.correction) if answer.outcome == Outcome.REPLACE else None,
    )


def _require_reason(answer: Answer, queue: Queue) -> None:
    wanted = (answer.outcome or "unsure") in queue.reason_for
    if wanted and not (answer.reasons or answer.snippets or answer.note.strip()):
        raise InvalidAnswer(_("This queue wants a reason: choose a rule of the policy or a sentence, or write a note."))


def _in_order(answer: Answer, categories: list[str]) -> dict[str, bool]:
    """Return the ticked categories in the order of the page."""
    return {name: answer.labels[name] for name in categories if name in answer.labels}


def _fit_schema(answer: Answer, schema: Definition) -> str:
    """Return the note with the chosen sentences before it; raise InvalidAnswer for what the schema does not offer."""
    if (answer.outcome or "unsure") not in schema.outcomes:
        raise InvalidAnswer(
            gettext("This queue offers %(outcomes)s. Choose one of these.")
            % {"outcomes": ", ".join(map(term, schema.outcomes))}
        )
    scales = {field.name: field.scale for field in schema.rubric}
    if any(points not in scales.get(name, ()) for name, points in answer.rubric.items()):
        raise InvalidAnswer(gettext("A number of the rubric does not fit this queue's label schema."))
    if set(answer.snippets) - set(schema.rationale_snippets):
        raise InvalidAnswer(gettext("One of the sentences is not in this queue's label schema."))
    rationale = "\n".join(part for part in (*answer.snippets, answer.note) if part)
    validate_note(rationale)
    return rationale


def validate_note(note: str) -> None:
    """Raise InvalidAnswer for a note that is too long or that PostgreSQL can not store."""
    if len(note) > MAX_NOTE or "\x00" in note:
        raise InvalidAnswer(_("A note has at most %(most)s characters, and none of them NUL.") % {"most": MAX_NOTE})


def _kept(answer: Answer, findings: dict[int, Finding], spans: list[MarkedSpan]) -> dict[int, bool]:
    """Return the judged findings. Redacting a place without a word on it says that it was found rightly.

    A finding that was only moved was found rightly; one that was renamed was taken for what it is not.
    """
    kept = dict(answer.findings)
    for span in spans:
        if span.finding is not None:
            kept[span.finding] = findings[span.finding].category == span.label
    if answer.outcome == Outcome.REDACT:
        places = [finding.id for finding in findings.values() if is_output_span(finding)]
        for place in places:
            kept.setdefault(place, True)
        if not spans and not any(kept[place] for place in places):
            raise InvalidAnswer(gettext("There is nothing to redact: keep or mark a place, or edit the output."))
    return kept


def implied_labels(
    kept: Mapping[int, bool], findings: Mapping[int, Finding], spans: Sequence[MarkedSpan], categories: list[str]
) -> dict[str, bool]:
    """Return what judged findings and marked spans say of categories: one kept finding or span makes it true."""
    implied: dict[str, bool] = {}
    for finding_id, right in kept.items():
        finding = findings[finding_id]
        if finding.category in categories and finding.target == "output":
            implied[finding.category] = implied.get(finding.category, False) or right
    return implied | {span.label: True for span in spans if span.label in categories}


def checked_correction(item: ReviewItem, correction: str | None) -> str:
    """Return the edited text as it will go out; raise InvalidAnswer when it is none."""
    original = item.checked.content.output
    if original is None or correction is None:
        raise InvalidAnswer(gettext("Edit the output first; the edited text is what goes out."))
    if same_but_newlines(correction, original):
        raise InvalidAnswer(gettext("The edited text is the same as the output. Change it, or release the output."))
    text = restore_newlines(correction, original=original)
    if len(text.encode()) > MAX_CORRECTION_BYTES or "\x00" in text:
        raise InvalidAnswer(gettext("The edited text is over 1 MiB or contains a NUL character."))
    return text


def store_answer(
    *,
    item: ReviewItem,
    slot: Assignment,
    reviewer: User,
    answer: Answer,
    checked: CheckedAnswer,
    counts: bool,
    assistance: Assistance,
    idempotency_key: uuid.UUID,
    precedent: Decision | None = None,
) -> Annotation:
    """Insert the annotation with its finding verdicts, spans, correction and preference pair."""
    annotation = Annotation.objects.create(
        item=item,
        assignment=slot,
        reviewer=reviewer,
        cycle=item.cycle,
        verdict=answer.verdict,
        outcome=answer.outcome,
        labels=checked.labels,
        rubric=dict(answer.rubric),
        rationale=checked.rationale,
        reasons=checked.reasons,
        statement=checked.statement,
        statement_edited=checked.statement_edited,
        policy_version_id=item.checked.policy_version_id,
        assistance=assistance,
        counts=counts,
        supersedes=taken_back(slot=slot, reviewer=reviewer),
        active_ms=answer.active_ms,
        keystrokes=answer.keystrokes,
        idempotency_key=idempotency_key,
        precedent=precedent,
    )
    FindingVerdict.objects.bulk_create(
        FindingVerdict(annotation=annotation, finding_id=finding_id, kept=kept)
        for finding_id, kept in checked.kept.items()
    )
    SpanAnnotation.objects.bulk_create(_span_rows(annotation, checked))
    if checked.correction is not None:
        store_correction(annotation, checked.correction, original=item.checked.content.output or "")
    store_preference(annotation, slot, checked.preference)
    return annotation


def _span_rows(annotation: Annotation, checked: CheckedAnswer) -> Iterator[SpanAnnotation]:
    change = SpanAnnotation.Change
    for span in checked.spans:
        source = checked.findings[span.finding] if span.finding is not None else None
        moved = change.RESIZED if source and source.category == span.label else change.RETYPED
        yield SpanAnnotation(
            annotation=annotation,
            finding=source,
            change=moved if source else change.ADDED,
            label=span.label,
            start=span.start,
            end=span.end,
        )
    spoken = {span.finding for span in checked.spans}
    for finding_id, kept in checked.kept.items():
        finding = checked.findings[finding_id]
        if finding_id not in spoken and is_output_span(finding):
            yield SpanAnnotation(
                annotation=annotation,
                finding=finding,
                change=change.KEPT if kept else change.REMOVED,
                label=finding.category,
                start=finding.start or 0,
                end=finding.end or 0,
            )


def taken_back(*, slot: Assignment, reviewer: User) -> Annotation | None:
    """Return the answer to this slot that `reviewer` took back and has not replaced yet."""
    undone = Annotation.objects.filter(
        assignment=slot, reviewer=reviewer, undone_at__isnull=False, superseded_by=None, cycle=F("item__cycle")
    )
    return undone.order_by("-created_at", "-id").first()


def store_correction(annotation: Annotation, text: str, *, original: str) -> None:
    """Keep an edited text, and that it is better than the output."""
    Correction.objects.create(annotation=annotation, base_sha256=sha256_text(original), text=text)
    PreferencePair.objects.create(annotation=annotation, chosen=text, rejected=original)
