"""Take a decision back while its effects wait, and let them happen when the wait is over.

Locks: reviewer, item, slot, decision, release. The sweep skips what is locked, and comes again.
"""

from __future__ import annotations

import datetime as dt
import uuid
from dataclasses import dataclass

from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext, gettext_lazy, gettext_noop

from review.errors import TooLate
from review.models import Annotation, Assignment, Decision, ReviewItem
from review.models.annotations import Outcome
from review.models.items import ItemState, SlotRole, SlotState
from review.selectors import own_slot
from review.services.appeal_outcomes import move_appeal, open_again
from review.services.claims import lease_again, lock_reviewer, may_adjudicate
from review.services.cluster_undo import end_precedents, withdraw_cluster
from review.services.decisions import record_decision_event, take_effect
from review.services.qa_undo import withdraw_overturn
from review.services.sweeping import sweep_each
from webapp.accounts.models import Membership
from webapp.interception.releases import let_out, withdraw_release

NEWER_ITEM = gettext_noop(
    "Taken back. Something new was found meanwhile, so the output waits in the queue again, as another item."
)
OVERTURN = gettext_noop("Taken back: the decision before it holds. It waits for you among those to look at again.")
_HAPPENED = {
    Outcome.RELEASE: gettext_lazy("the output was released"),
    Outcome.REDACT: gettext_lazy("the redacted output was released"),
    Outcome.REPLACE: gettext_lazy("the edited text was released"),
    Outcome.BLOCK: gettext_lazy("the output was blocked"),
}


@dataclass(frozen=True, slots=True)
class Undone:
    """A decision that was taken back. `slot` is the reviewer's again; without one `message` says why.

    Of an overturn by QA `qa_slot` is.
    """

    item: ReviewItem
    slot: Assignment | None
    message: str = ""
    qa_slot: Assignment | None = None


@transaction.atomic
def undo_decision(*, decision: Decision, membership: Membership) -> Undone:
    """Make an item what it was before the member decided it, with a fresh lease on their slot; twice is harmless.

    Their annotation stays but does not count any more; other reviewers' answers stay as they are. Nothing was told to
    anybody. Raises TooLate when the decision took effect, or was taken back and the item has moved on.
    """
    lock_reviewer(membership.user_id)
    item = ReviewItem.objects.select_related("queue", "checked").lock(decision.item_id)
    answer = _answer_of(decision, membership)
    slot = Assignment.objects.select_for_update().get(pk=answer.assignment_id)
    decision = Decision.objects.select_for_update().get(pk=decision.pk)
    if decision.decided_by_id != membership.user_id or not may_adjudicate(slot, membership):
        raise TooLate(gettext("Only who decided this can take it back."))
    if decision.undone_at is not None:
        return _again(item, slot, membership)
    now = timezone.now()
    # A probe has no release.
    withdrawn = bool(decision.seconds_to_undo()) and (bool(item.golden_id) or withdraw_release(decision_id=decision.id))
    if not withdrawn:
        raise TooLate(_what_happened(decision, item))
    decision.undone_at = now
    decision.save(update_fields=["undone_at"])
    answer.counts = False
    answer.undone_at = now
    answer.save(update_fields=["counts", "undone_at"])
    decided = f"decided:{decision.created_at.astimezone(dt.UTC).isoformat(timespec='microseconds')}"
    record_decision_event("review.decision.undone", item, decision, membership, reason_codes=[decided])
    if slot.role == SlotRole.QA:
        withdraw_overturn(item, decision, slot, membership)
        return Undone(item, None, gettext(OVERTURN), qa_slot=slot)
    open_again(decision)
    withdraw_cluster(decision, membership)
    end_precedents(item)
    if not _reopen(item, decision):
        return Undone(item, None, gettext(NEWER_ITEM))
    lease_again(slot, membership.user, seconds=item.queue.lease_seconds)
    return Undone(item, slot)


def _answer_of(decision: Decision, membership: Membership) -> Annotation:
    """Return the member's newest answer in the decision's cycle: the one that decided, or was taken back."""
    answers = Annotation.objects.filter(item_id=decision.item_id, cycle=decision.cycle, reviewer_id=membership.user_id)
    answer = answers.order_by("-counts", "-created_at", "-id").first()
    if answer is None:
        raise TooLate(gettext("Only who decided this can take it back."))
    return answer


def _again(item: ReviewItem, answered: Assignment, membership: Membership) -> Undone:
    if answered.role == SlotRole.QA and answered.state == SlotState.LEASED:
        return Undone(item, None, gettext(OVERTURN), qa_slot=answered)
    slot = own_slot(item=item, user=membership.user)
    if slot is None:
        raise TooLate(gettext("You took this back already, and the item has moved on since."))
    return Undone(item, slot)


def _what_happened(decision: Decision, item: ReviewItem) -> str:
    at = item.decided_at or decision.created_at
    said = {"what": _HAPPENED[Outcome(decision.outcome)], "at": f"{at.astimezone(dt.UTC):%H:%M:%S}"}
    return gettext("Too late to take back: %(what)s at %(at)s UTC.") % said


def _reopen(item: ReviewItem, decision: Decision) -> bool:
    """Make the item and its other slots what they were; False when the check is in the queue again as another item."""
    item.state = decision.before["state"]
    earlier = decision.before["decided_at"]  # of the cycle before
    item.decided_at = dt.datetime.fromisoformat(earlier) if earlier else None
    try:
        with transaction.atomic():
            item.save(update_fields=["state", "decided_at"])
    except IntegrityError:
        # A late result found the item decided and raised another; a check has one open item a queue.
        item.state = ItemState.CANCELLED
        item.save(update_fields=["state", "decided_at"])
        item.assignments.filter(state=SlotState.SUBMITTED).update(state=SlotState.VOID)
        move_appeal(item)
        return False
    for slot_id, state in decision.before["slots"].items():
        item.assignments.filter(id=uuid.UUID(slot_id), state=SlotState.VOID).update(state=state)
    return True


def sweep_effects() -> int:
    """Let decisions take effect whose wait is over, and return how many; running twice changes nothing more."""
    now = timezone.now()
    let_out(now=now)
    due = Decision.objects.standing().filter(waits_until__lte=now).order_by("waits_until")
    return sweep_each(due.values_list("id", flat=True), _take_effect)


@transaction.atomic
def _take_effect(decision_id: uuid.UUID) -> bool:
    waiting = Decision.objects.standing().filter(id=decision_id, waits_until__isnull=False)
    decision = (
        waiting.select_for_update(skip_locked=True, no_key=True, of=("self", "item")).select_related("item").first()
    )
    if decision is None:
        return False
    decision.waits_until = None
    decision.save(update_fields=["waits_until"])
    take_effect(decision.item, decision)
    return True
