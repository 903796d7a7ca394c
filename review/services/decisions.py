"""Decide items: from their answers, and with what follows for the check."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Sequence

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext as _

from policies.services import policy_ref
from review.errors import InvalidAnswer
from review.models import Annotation, Assignment, Decision, FindingVerdict, ReviewItem, SpanAnnotation
from review.models.annotations import Outcome
from review.models.decisions import Method
from review.models.items import ItemState, SlotRole, SlotState
from review.services.appeal_outcomes import appeal_codes, conclude_appeal, pending_appeal
from review.services.golden_reversal import retire_reversed
from review.services.probes import score_probe
from review.services.raising import add_slot
from review.signals import decision_recorded
from review.texts import redacted_text, redaction_method
from screening.redaction import RedactionSpan
from webapp.accounts.models import Membership
from webapp.accounts.services import user_actor
from webapp.audit.log import EventObject, EventOutcome, record_event
from webapp.interception.models import CheckContent, ReleaseOutcome, Verdict
from webapp.interception.releases import is_out, record_release

_RELEASES = {
    Outcome.RELEASE: ReleaseOutcome.RELEASED,
    Outcome.REDACT: ReleaseOutcome.REDACTED,
    Outcome.REPLACE: ReleaseOutcome.REPLACED,
    Outcome.BLOCK: ReleaseOutcome.BLOCKED,
}
#: What a machine's verdict would have been as a decision; a person who decides otherwise overrides it.
_AS_DECISION = {"allow": Outcome.RELEASE, "redact": Outcome.REDACT, "block": Outcome.BLOCK}
#: Severity times risk is at most 4: what waits for a lead comes before everything else a lead could take.
AHEAD_OF_ALL = 10.0
BEHIND_ALL = -1.0
_OUT_BY_ITSELF = (Verdict.ALLOW, Verdict.REDACT)
_WAITING = (SlotState.OPEN, SlotState.LEASED, SlotState.HELD, SlotState.RESERVED)


def settle(*, item: ReviewItem, slot: Assignment, annotation: Annotation, membership: Membership) -> Decision | None:
    """Decide a locked item if its counting answers allow it, else ask for one more; return the decision, if any."""
    if slot.role in (SlotRole.ADJUDICATOR, SlotRole.APPEAL):
        return decide(item=item, answers=[annotation], method=Method.ADJUDICATED, membership=membership)
    if item.state in (ItemState.ADJUDICATION, ItemState.ESCALATED):
        return None
    if item.assignments.filter(state__in=_WAITING).exclude(role=SlotRole.ADJUDICATOR).exists():
        return None
    answers = counting_answers(item)
    agreeing = agreement(answers, threshold=item.queue.consensus_threshold)
    if agreeing:
        method = Method.SINGLE if len(answers) == 1 else Method.CONSENSUS
        return decide(item=item, answers=agreeing, method=method, membership=membership)
    if len(answers) < item.queue.max_reviews:
        add_slot(item, next_number(item), SlotRole.OVERLAP, extra=True)
    else:
        to_adjudication(item, ItemState.ADJUDICATION)
    return None


def counting_answers(item: ReviewItem) -> list[Annotation]:
    """Return the answers of this cycle that count, oldest slot first."""
    return list(
        item.annotations.filter(cycle=item.cycle, counts=True, superseded_by=None).order_by("assignment__slot_no")
    )


def agreement(answers: Sequence[Annotation], *, threshold: float) -> list[Annotation]:
    """Return the answers that share the commonest outcome if they reach `threshold`, else an empty list.

    Unsure is an answer that agrees with nobody; a tie is no agreement.
    """
    tally = Counter(answer.outcome for answer in answers if answer.outcome)
    ranked = tally.most_common(2)
    if not ranked or (len(ranked) == 2 and ranked[0][1] == ranked[1][1]):
        return []
    outcome, votes = ranked[0]
    if votes / len(answers) < threshold:
        return []
    return [answer for answer in answers if answer.outcome == outcome]


def to_adjudication(item: ReviewItem, state: ItemState) -> None:
    """Hand a locked item to the leads: nobody else starts on it; who is at it may finish, and the lead sees it."""
    item.assignments.filter(state=SlotState.OPEN).update(state=SlotState.VOID)
    item.state = state
    item.save(update_fields=["state"])
    if item.golden_id:
        return  # leads know the answer: the sweep gives it when the item is due
    slot = add_slot(item, next_number(item), SlotRole.ADJUDICATOR)
    slot.priority += AHEAD_OF_ALL
    slot.save(update_fields=["priority"])


def next_number(item: ReviewItem) -> int:
    return item.assignments.count() + 1


@transaction.atomic
def decide(
    *,
    item: ReviewItem,
    answers: Sequence[Annotation],
    method: Method,
    membership: Membership,
    final: bool = False,
    precedent: Decision | None = None,
    reason_codes: Sequence[str] = (),
) -> Decision:
    """Record what `answers`, which share an outcome, decide of a locked item, and release or block its check.

    In one transaction: the decision, the release, the audit event, the item's end. What follows from them waits for
    the queue's `undo_seconds`, in which the decision can be taken back; the signal `decision_recorded` is sent after. A
    `final` one does not wait. One with a `precedent` was made by nobody now: it follows that one.
    """
    outcome = Outcome(answers[0].outcome)
    now = timezone.now()
    effective_at = now if final else now + _wait(item, outcome, now)
    waits_until = effective_at if effective_at > now else None
    waiting = item.assignments.filter(state__in=_WAITING)
    appeal = pending_appeal(item)
    statement = "\n\n".join(dict.fromkeys(answer.statement for answer in answers if answer.statement))
    decision = Decision.objects.create(
        item=item,
        cycle=item.cycle,
        outcome=outcome,
        method=Method.APPEAL if appeal else method,
        policy_version=item.checked.policy_version,
        decided_by=membership.user,
        precedent=precedent,
        supersedes=item.decisions.filter(superseded_by=None).order_by("-cycle").first(),
        statement=statement,
        statement_edited_by=next((answer.reviewer for answer in answers if answer.statement_edited), None),
        waits_until=waits_until,
        before={
            "state": item.state,
            "decided_at": item.decided_at.isoformat() if item.decided_at else None,
            "slots": {str(slot_id): state for slot_id, state in waiting.values_list("id", "state")},
        },
    )
    # A probe is decided like any item, but its check is left alone.
    release = (
        None
        if item.golden_id
        else record_release(
            check=item.checked,
            outcome=_RELEASES[outcome],
            output=released_text(item, outcome, answers),
            decision_id=decision.id,
            decided_by=membership.user.get_username(),
            decided_at=now,
            statement=statement,
            waits_until=waits_until,
        )
    )
    if appeal and release:
        conclude_appeal(appeal, decision, release)
    item.state = ItemState.DECIDED
    item.decided_at = effective_at
    item.save(update_fields=["state", "decided_at"])
    waiting.update(state=SlotState.VOID)
    record_decision_event("review.decision.recorded", item, decision, membership, reason_codes=reason_codes)
    if waits_until is None:
        take_effect(item, decision)
    return decision


def take_effect(item: ReviewItem, decision: Decision) -> None:
    """Let follow what follows from a decision that can not be taken back any more."""
    if item.golden_id:
        score_probe(item)
        return
    retire_reversed(item, decision)
    # Opened again, or contested, before the sweep came: nobody judges what does not hold, and the slot would keep the
    # new cycle from being decided.
    if item.qa and decision.cycle == 1 and item.state == ItemState.DECIDED and item.cycle == 1:
        _open_qa_slot(item)
    decision_recorded.send(sender=Decision, decision=decision, item=item)


def _open_qa_slot(item: ReviewItem) -> None:
    """Let a lead look at the decision; behind everything in the order of claims, which pass it over."""
    slot = add_slot(item, next_number(item), SlotRole.QA)
    slot.priority = BEHIND_ALL
    slot.sla_due_at = timezone.now() + dt.timedelta(seconds=item.queue.sla_seconds)
    slot.save(update_fields=["priority", "sla_due_at"])


def _wait(item: ReviewItem, outcome: Outcome, now: dt.datetime) -> dt.timedelta:
    """Return for how long the effects wait. What is out already and should not be is blocked at once."""
    # Of a probe only the machine's verdict counts, as it did when its output was new.
    out = item.checked.verdict in _OUT_BY_ITSELF if item.golden_id else is_out(item.checked, now=now)
    if outcome == Outcome.BLOCK and out:
        return dt.timedelta()
    return dt.timedelta(seconds=item.queue.undo_seconds)


def released_text(item: ReviewItem, outcome: Outcome, answers: Sequence[Annotation]) -> str | None:
    """Return the text that goes out when `answers` decide on `outcome`."""
    content: CheckContent = item.checked.content
    if outcome == Outcome.BLOCK:
        return None
    if outcome == Outcome.RELEASE:
        return content.output
    if outcome == Outcome.REPLACE:
        # Of several corrections the one of the earliest slot goes out; all of them are kept.
        return answers[0].correction.text
    return redacted_text(
        output=content.output or "",
        findings=item.checked.findings.exclude(id__in=_set_aside_by_all(answers)),
        project=item.project,
        marked=_marked_places(answers),
    )


def _set_aside_by_all(answers: Sequence[Annotation]) -> set[int]:
    """Return the findings that every one of `answers` dropped or moved: in doubt, a place stays redacted."""
    dropped = FindingVerdict.objects.filter(annotation__in=answers, kept=False).values_list("annotation", "finding")
    moved = SpanAnnotation.objects.filter(annotation__in=answers, change=SpanAnnotation.Change.RESIZED)
    said = {*dropped, *moved.values_list("annotation", "finding")}
    return {finding for finding, votes in Counter(finding for _, finding in said).items() if votes == len(answers)}


def _marked_places(answers: Sequence[Annotation]) -> list[RedactionSpan]:
    """Return the places that any of `answers` moved, renamed or found."""
    change = SpanAnnotation.Change
    spans = SpanAnnotation.objects.filter(
        annotation__in=answers, change__in=(change.ADDED, change.RETYPED, change.RESIZED)
    ).select_related("finding")
    return [RedactionSpan(span.start, span.end, span.label, redaction_method(span.finding)) for span in spans]


def record_decision_event(
    type: str, item: ReviewItem, decision: Decision, membership: Membership, *, reason_codes: Sequence[str] = ()
) -> None:
    """Record that a decision was made or taken back: both events name the same outcome and decision.

    A probe has no events of decisions: its check was decided before. What its reviewers answered is recorded.
    """
    if item.golden_id:
        return
    machine = item.checked.verdict
    record_event(
        type=type,
        project_id=item.project_id,
        actor=user_actor(membership.user, membership.role),
        object=EventObject("review_item", item.id, rev=str(item.cycle)),
        outcome=EventOutcome(
            decision=decision.outcome,
            prev=machine,
            override=machine in _AS_DECISION and _AS_DECISION[machine] != decision.outcome,
            automated=decision.precedent_id is not None,
        ),
        policy=policy_ref(decision.policy_version),
        reason_codes=[
            f"method:{decision.method}",
            *(appeal_codes(decision) if decision.method == Method.APPEAL else ()),
            *reason_codes,
        ],
        cause=[item.checked.public_id, f"decision:{decision.id}"],
    )


def require_outcome(*, outcome: str, slot: Assignment) -> None:
    """Raise InvalidAnswer when who settles an item is unsure: there is nobody after them."""
    if slot.role == SlotRole.ADJUDICATOR and not outcome:
        raise InvalidAnswer(gettext("An adjudicator decides: choose what happens to the output."))
    if slot.role == SlotRole.APPEAL and not outcome:
        raise InvalidAnswer(_("You decide this appeal: choose what happens to the output, or escalate it."))
