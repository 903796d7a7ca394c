"""Take back what a QA reviewer overturned, while it waits: the decision before it holds as if nothing had been said."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.utils import timezone

from review.models import Assignment, Decision, QAReview, ReviewItem
from review.models.items import ItemState
from review.services.claims import lease_again
from webapp.accounts.models import Membership
from webapp.accounts.services import user_actor
from webapp.audit.log import EventObject, record_event

_OF_THE_ITEM = ("cycle", "state", "sla_due_at", "decided_at", "escalation_note")


def before_overturn(item: ReviewItem) -> dict[str, Any]:
    """Return what `withdraw_overturn` makes of a decided item again, in a form that is stored with the decision."""
    return {"sla_due_at": item.sla_due_at.isoformat(), "escalation_note": item.escalation_note}


def withdraw_overturn(item: ReviewItem, decision: Decision, slot: Assignment, membership: Membership) -> None:
    """End the cycle that a withdrawn overturn began, on a locked item, and give the member its QA slot again."""
    before = decision.before["overturned"]
    item.cycle -= 1
    item.version += 1
    item.state = ItemState.DECIDED
    item.sla_due_at = dt.datetime.fromisoformat(before["sla_due_at"])
    decided_at = decision.before["decided_at"]
    item.decided_at = dt.datetime.fromisoformat(decided_at) if decided_at else None
    item.escalation_note = before["escalation_note"]
    item.save(update_fields=[*_OF_THE_ITEM, "version"])
    review = QAReview.objects.get(assignment=slot, undone_at=None)
    review.undone_at = timezone.now()
    review.save(update_fields=["undone_at"])
    lease_again(slot, membership.user, seconds=item.queue.lease_seconds)
    record_event(
        type="review.qa.undone",
        project_id=item.project_id,
        actor=user_actor(membership.user, membership.role),
        object=EventObject("review_item", item.id, rev=str(item.cycle)),
        cause=[f"decision:{review.decision_id}"],
    )
