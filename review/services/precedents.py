"""Decide what comes in later as its near-duplicates were decided at once, where the queue wants that.

A decision of a cluster is a precedent from when it can not be taken back any more until anything that was decided by
it, or like it, is taken back, opened again or contested. Its row says so, and is locked by whoever follows it and by
whoever ends it: nothing follows one that has ended. Locks: the decision, as undo has it, that of the cluster, then the
item; who has the item is not waited for.
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence

from django.db import transaction
from django.db.models import F

from review.clusters.fitting import carried_over
from review.clusters.members import MOST, judge
from review.clusters.subjects import subject_of
from review.errors import ReviewError
from review.models import Assignment, ClusterDecision, Decision, ReviewItem
from review.models.clusters import ClusterState
from review.models.items import ItemState, SlotState
from review.near import THRESHOLD
from review.selectors import get_items
from review.services.following import decide_like
from webapp.accounts.models import Membership, Role
from webapp.accounts.services import SYSTEM
from webapp.audit.log import EventObject, record_event

_REVIEWERS = (Role.OWNER, Role.LEAD, Role.REVIEWER)
_HOLDS = {"state": ClusterState.DONE, "ended_at": None, "precedent_of__isnull": False, "queue__precedents": True}


def follow_precedents(items: Sequence[ReviewItem]) -> int:
    """Decide those of the items, which were just put together with others, that have a precedent; return how many."""
    return sum(_follow(precedent, item.id) for item in items if (precedent := _newest_precedent(item)) is not None)


def follow_late(cluster_id: uuid.UUID) -> int:
    """Decide what came in while a precedent could still be taken back; return how many."""
    cluster = ClusterDecision.objects.filter(id=cluster_id, **_HOLDS).first()
    if cluster is None:
        return 0
    late = ReviewItem.objects.filter(
        queue=cluster.queue_id,
        cluster=cluster.precedent_of,
        state=ItemState.PENDING,
        clustered_at__gt=cluster.created_at,
    )
    return sum(_follow(cluster.id, item) for item in late.order_by("id").values_list("id", flat=True)[:MOST])


def _newest_precedent(item: ReviewItem) -> uuid.UUID | None:
    if item.cluster == item.id:
        return None
    holding = ClusterDecision.objects.filter(queue=item.queue_id, precedent_of=item.cluster, **_HOLDS)
    return holding.order_by("-id").values_list("id", flat=True).first()


@transaction.atomic
def _follow(cluster_id: uuid.UUID, item_id: uuid.UUID) -> bool:
    Decision.objects.select_for_update(of=("self",), no_key=True).get(cluster_decision=cluster_id)
    # Choices that the queue offers now may mean something else than those of then.
    holding = ClusterDecision.objects.filter(id=cluster_id, label_schema=F("queue__label_schema"), **_HOLDS)
    cluster = (
        holding.select_for_update(of=("self",)).select_related("annotation", "decision", "decided_by", "queue").first()
    )
    free = ReviewItem.objects.select_for_update(skip_locked=True, no_key=True).filter(
        id=item_id, state=ItemState.PENDING
    )
    if cluster is None or not _still_reviews(cluster) or not free.exists():
        return False
    both = get_items(ids=[cluster.item_id, item_id])
    item, read = both[item_id], both[cluster.item_id]
    fitting = _fitting(cluster, read, item)
    if fitting is None:
        return False
    slot, kept = fitting
    try:
        with transaction.atomic():
            decision = decide_like(cluster, item, slot, kept=kept, precedent=cluster.decision)
    except ReviewError:
        return False  # the answer does not fit what was found in it
    record_event(
        type="review.item.attached",
        project_id=item.project_id,
        actor=SYSTEM,
        object=EventObject("review_item", item.id),
        reason_codes=[f"cluster:{cluster.id}", f"precedent:{cluster.decision_id}"],
        cause=[f"decision:{decision.id}"],
    )
    return True


def _still_reviews(cluster: ClusterDecision) -> bool:
    """Whether who decided may still decide here: their name stands under what follows."""
    members = Membership.objects.filter(project=cluster.queue.project_id, role__in=_REVIEWERS)
    return members.filter(user=cluster.decided_by_id, user__is_active=True).exists()


def _fitting(cluster: ClusterDecision, read: ReviewItem, item: ReviewItem) -> tuple[Assignment, dict[int, bool]] | None:
    """Return the slot to take and what the answer says of the item's findings; None where a person has to look."""
    [member] = judge(ReviewItem.objects.filter(id=item.id), read, user=cluster.decided_by)
    if member.slot is None or item.annotations.exists() or item.exclusions.exists():
        return None
    free = Assignment.objects.filter(id=member.slot.id, state=SlotState.OPEN, assignee=None)
    slot = free.select_for_update(skip_locked=True).first()
    content, other = getattr(read.checked, "content", None), getattr(item.checked, "content", None)
    if slot is None or content is None or other is None or not subject_of(content).text:
        return None
    # Both are like the first of their cluster; they need not be like each other.
    if subject_of(content).similarity(subject_of(other)) < THRESHOLD:
        return None
    kept = carried_over(
        dict(cluster.annotation.finding_verdicts.values_list("finding", "kept")),
        findings=list(read.checked.findings.all()),
        output=content.output or "",
        others=list(item.checked.findings.all()),
        other=other.output or "",
    )
    return None if kept is None else (slot, kept)
