"""Leads give slots to people, and take them back."""

from __future__ import annotations

import datetime as dt
import uuid

from django.db import transaction
from django.db.models import Exists, OuterRef, Q, Subquery
from django.utils import timezone
from django.utils.translation import gettext as _

from review.errors import InvalidAnswer, ItemChanged
from review.models import Assignment, Exclusion, ReviewItem
from review.models.items import OPEN_STATES, SlotState
from review.services.claims import LIVE_STATES
from review.services.holding import free, gets_nothing, lock_slot, record_slot_event, why_unable, workers_of
from webapp.accounts.models import Membership
from webapp.accounts.services import SYSTEM, user_actor

#: An item that is overdue waits so long for whom it is assigned to.
ASSIGNED_AT_LEAST = dt.timedelta(hours=1)
MOVABLE = (SlotState.OPEN, SlotState.LEASED, SlotState.HELD)


@transaction.atomic
def assign(*, slot: Assignment, assignee: Membership, membership: Membership, seen: uuid.UUID | None) -> Assignment:
    """Keep a slot for `assignee`, whoever has it now, until the item is due, and return it.

    `seen` is who had it when the lead looked: raises ItemChanged when that is somebody else now. Raises InvalidAnswer
    when there is nothing to do any more, or the assignee can not do it. Who loses a slot keeps what they wrote: their
    answer is stored without counting.
    """
    item, slot = _lock(slot, seen)
    if why := why_unable(slot, assignee):
        raise InvalidAnswer(why)
    if gets_nothing(item, assignee):
        raise InvalidAnswer(_("They get nothing new of this queue: they lack a skill that it needs, or are paused."))
    free(slot)
    slot.assignee = assignee.user
    slot.held_until = max(item.sla_due_at, timezone.now() + ASSIGNED_AT_LEAST)
    slot.save(update_fields=["assignee", "held_until"])
    actor = user_actor(membership.user, membership.role)
    record_slot_event("review.item.assigned", item, actor, to=assignee.user_id)
    return slot


@transaction.atomic
def take_back(*, slot: Assignment, membership: Membership, seen: uuid.UUID | None) -> Assignment:
    """Put a slot that is assigned, held or leased back into the pool, and return it; raises as `assign` does."""
    item, slot = _lock(slot, seen)
    if holder_of(slot) is not None or slot.assignee_id is not None:
        record_slot_event("review.item.returned", item, user_actor(membership.user, membership.role), "cause:lead")
    free(slot)
    return slot


def holder_of(slot: Assignment) -> uuid.UUID | None:
    """Return who works on a slot or holds it now."""
    live = slot.state == SlotState.HELD or (
        slot.state == SlotState.LEASED and slot.lease_expires_at is not None and slot.lease_expires_at > timezone.now()
    )
    return slot.lease_owner_id if live else None


def _lock(slot: Assignment, seen: uuid.UUID | None) -> tuple[ReviewItem, Assignment]:
    item, slot = lock_slot(slot)
    if slot.state not in MOVABLE or item.state not in OPEN_STATES:
        raise InvalidAnswer(_("This was answered meanwhile: there is nothing to assign any more."))
    if holder_of(slot) != seen:
        raise ItemChanged(_("Somebody took it, or gave it back, since you opened the page. Look again."))
    return item, slot


@transaction.atomic
def sweep_assigned() -> int:
    """Put assigned slots back whose time is over, or whose assignee can not have them any more; return how many."""
    member = Membership.objects.filter(
        project=OuterRef("item__project"), user=OuterRef("assignee"), user__is_active=True
    )
    out = Exclusion.objects.filter(item=OuterRef("item"), reviewer=OuterRef("assignee"))
    other = Assignment.objects.filter(
        item=OuterRef("item"), lease_owner=OuterRef("assignee"), state__in=LIVE_STATES
    ).exclude(id=OuterRef("id"))
    waiting = (
        Assignment.objects.filter(state=SlotState.OPEN, assignee__isnull=False)
        .annotate(role_now=Subquery(member.values("role")), unable=Exists(out) | Exists(other))
        .annotate(over=Q(held_until__isnull=True) | Q(held_until__lte=timezone.now()))
        .select_related("item")
    )
    back = 0
    for slot in waiting.select_for_update(skip_locked=True, of=("self",)).order_by("id"):
        able = slot.role_now in workers_of(slot) and not slot.unable
        if able and not slot.over:
            continue
        free(slot, keep_owner=able)
        record_slot_event("review.item.returned", slot.item, SYSTEM, "cause:time" if able else "cause:member")
        back += 1
    return back
