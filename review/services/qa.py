"""Look at a share of the decisions again: a lead who had no part in one agrees, or corrects it."""

from __future__ import annotations

import uuid
from dataclasses import dataclass

from django.db import transaction
from django.db.models import Exists, OuterRef, Q
from django.utils import timezone
from django.utils.translation import gettext

from review.errors import InvalidAnswer, SlotLost
from review.models import Annotation, Assignment, Decision, Exclusion, QAReview, ReviewItem
from review.models.annotations import AnnotationVerdict, Assistance, Outcome
from review.models.decisions import Method
from review.models.items import ItemState, SlotRole, SlotState
from review.models.qa import ErrorSeverity
from review.reasons import compose
from review.rest import due_rest
from review.services.answers import checked_correction, store_correction, validate_note
from review.services.claims import lease_again, lock_reviewer
from review.services.decisions import decide
from review.services.exposure import Effort, record_exposure
from review.services.qa_undo import before_overturn
from review.services.reopening import begin_cycle, reopen
from review.texts import is_output_span, same_but_newlines
from webapp.accounts.models import Membership
from webapp.accounts.services import user_actor
from webapp.audit.log import EventObject, EventOutcome, record_event
from webapp.interception.models import Release


@dataclass(frozen=True, slots=True)
class Judgement:
    """`outcome` is what was right, the decision's own when only something beside it was wrong. `severity` is of the
    error, "" for none. `again`: others decide anew, instead of this outcome holding. `correction` belongs to replace:
    of a decision that replaced, a text other than went out corrects it.
    """

    outcome: str
    severity: str = ""
    note: str = ""
    again: bool = False
    correction: str | None = None


@transaction.atomic
def claim_qa(*, membership: Membership) -> Assignment | None:
    """Return the QA slot that the member holds in the project, else the one due first that they may take.

    While a rest is due they keep what they hold, and get nothing else.
    """
    lock_reviewer(membership.user_id)
    now = timezone.now()
    slots = Assignment.objects.filter(role=SlotRole.QA, queue__project=membership.project_id)
    own = slots.filter(lease_owner=membership.user, state=SlotState.LEASED, lease_expires_at__gt=now)
    held = own.order_by("sla_due_at", "id").first()
    if held is not None:
        return held
    if due_rest(membership=membership, now=now):
        return None
    took_part = Annotation.objects.filter(item=OuterRef("item"), reviewer=membership.user)
    away = Exclusion.objects.filter(item=OuterRef("item"), reviewer=membership.user)
    free = slots.filter(Q(state=SlotState.OPEN) | Q(state=SlotState.LEASED, lease_expires_at__lte=now))
    takable = free.filter(~Exists(took_part), ~Exists(away)).select_related("queue")
    slot = takable.select_for_update(skip_locked=True, of=("self",)).order_by("sla_due_at", "id").first()
    if slot is not None:
        lease_again(slot, membership.user, seconds=slot.queue.lease_seconds)
    return slot


@transaction.atomic
def submit_qa(*, slot: Assignment, membership: Membership, lease_token: uuid.UUID, judgement: Judgement) -> QAReview:
    """Store what the member says of the decision; a second time it returns what was stored.

    An error in the outcome overturns the decision in a new cycle, which can be taken back like any decision, or opens
    the item again for others. Raises InvalidAnswer, and SlotLost when the slot is somebody else's or the item went on
    meanwhile.
    """
    validate_note(judgement.note)
    lock_reviewer(membership.user_id)
    item = ReviewItem.objects.select_related("queue", "checked").lock(slot.item_id)
    slot = Assignment.objects.select_for_update().get(pk=slot.pk)
    stored = QAReview.objects.filter(assignment=slot, reviewer=membership.user, undone_at=None).first()
    if stored is not None:
        return stored
    ours = slot.lease_owner_id == membership.user_id and slot.lease_token == lease_token
    if not ours or slot.state not in (SlotState.OPEN, SlotState.LEASED) or item.state != ItemState.DECIDED:
        raise SlotLost(gettext("This decision is no longer yours to look at: it went to somebody else, or on."))
    decision = item.decisions.standing().get(cycle=item.cycle)
    wrong = judgement.outcome != decision.outcome or _is_rewritten(judgement, decision)
    _fits(judgement, item, wrong=wrong)
    review = QAReview.objects.create(
        item=item,
        decision=decision,
        assignment=slot,
        reviewer=membership.user,
        agrees=not judgement.severity,
        severity=judgement.severity,
        outcome=judgement.outcome,
        note=judgement.note,
    )
    slot.state = SlotState.SUBMITTED
    slot.lease_expires_at = None
    slot.save(update_fields=["state", "lease_expires_at"])
    record_exposure(slot=slot, membership=membership, lease=lease_token, effort=Effort(active_ms=None, seen_ms=None))
    _record(review, membership)
    if wrong:
        _correct(review, judgement, item, membership)
    return review


def _is_rewritten(judgement: Judgement, decision: Decision) -> bool:
    if judgement.correction is None or (judgement.outcome, decision.outcome) != (Outcome.REPLACE, Outcome.REPLACE):
        return False
    went_out = Release.objects.get(decision_id=decision.id).output or ""
    return not same_but_newlines(judgement.correction, went_out)


def _fits(judgement: Judgement, item: ReviewItem, *, wrong: bool) -> None:
    if judgement.outcome not in Outcome.values or judgement.severity not in ("", *ErrorSeverity.values):
        raise InvalidAnswer(gettext("Choose what was right, and how grave the error is."))
    if wrong and not judgement.severity:
        raise InvalidAnswer(gettext("Another outcome was right, so there was an error: say how grave it is."))
    if judgement.severity and not judgement.note:
        raise InvalidAnswer(gettext("Say what was wrong: whoever decided can learn from it."))
    if not wrong or judgement.again:
        return
    if judgement.outcome == Outcome.REPLACE:
        checked_correction(item, judgement.correction)
    redactable = any(is_output_span(finding) for finding in item.checked.findings.all())
    if judgement.outcome == Outcome.REDACT and not redactable:
        raise InvalidAnswer(gettext("Let others decide again: no finding has a place, so somebody has to mark one."))


def _correct(review: QAReview, judgement: Judgement, item: ReviewItem, membership: Membership) -> None:
    if judgement.again:
        reopen(item=item, membership=membership, reason=judgement.note)
        return
    before = before_overturn(item)
    begin_cycle(item, [])
    released = judgement.outcome == Outcome.RELEASE
    answer = Annotation.objects.create(
        item=item,
        assignment=review.assignment,
        reviewer=membership.user,
        cycle=item.cycle,
        verdict=AnnotationVerdict.FINE if released else AnnotationVerdict.VIOLATES,
        outcome=judgement.outcome,
        rationale=judgement.note,
        # The note is for colleagues; the statement goes to the application.
        statement=compose(outcome=judgement.outcome, rules=[], labels={}, snippets=[]),
        policy_version_id=item.checked.policy_version_id,
        assistance=Assistance.SHOWN,
        idempotency_key=uuid.uuid4(),
    )
    if judgement.outcome == Outcome.REPLACE:
        text = checked_correction(item, judgement.correction)
        store_correction(answer, text, original=item.checked.content.output or "")
    decision = decide(item=item, answers=[answer], method=Method.QA, membership=membership)
    decision.before |= {"overturned": before}
    decision.save(update_fields=["before"])


def _record(review: QAReview, membership: Membership) -> None:
    record_event(
        type="review.qa.reviewed",
        project_id=review.item.project_id,
        actor=user_actor(membership.user, membership.role),
        object=EventObject("review_item", review.item_id, rev=str(review.decision.cycle)),
        outcome=EventOutcome(decision=review.outcome, prev=review.decision.outcome, automated=False),
        reason_codes=[f"error:{review.severity or 'none'}"],
        cause=[f"decision:{review.decision_id}"],
    )


@transaction.atomic
def release_qa(*, slot: Assignment, membership: Membership) -> None:
    """Give a QA slot back for other leads."""
    Assignment.objects.filter(id=slot.id, lease_owner=membership.user, state=SlotState.LEASED).update(
        state=SlotState.OPEN, lease_owner=None, lease_token=None, lease_expires_at=None
    )
