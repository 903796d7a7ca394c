"""What the pages of review read of slots that are kept for somebody."""

from __future__ import annotations

import uuid
from dataclasses import dataclass

from review.models import Assignment, ReviewItem
from review.models.items import OPEN_STATES, SlotState
from review.services.assigning import MOVABLE, holder_of
from review.services.holding import workers_of
from webapp.accounts.models import Membership, Role, User
from webapp.accounts.selectors import members_of

#: The lists are for a look, not for search.
LISTED = 200
_LEADS = (Role.OWNER, Role.LEAD)


@dataclass(frozen=True, slots=True)
class KeptSlot:
    """A slot that waits for `person`: held by them, or assigned to them. `seen` is who has it now."""

    slot: Assignment
    person: User | None
    seen: uuid.UUID | None

    @property
    def held(self) -> bool:
        return self.slot.state == SlotState.HELD

    @property
    def leased(self) -> bool:
        return not self.held and self.seen is not None


def own_hold(*, item: ReviewItem, user: User) -> Assignment | None:
    """Return the slot of `item` that `user` holds."""
    return Assignment.objects.filter(item=item, lease_owner=user, state=SlotState.HELD).first()


def kept_slots(*, membership: Membership) -> list[KeptSlot]:
    """Return what is held, then what is assigned, in the member's project: leads see everybody's, others their own."""
    slots = Assignment.objects.filter(queue__project=membership.project_id)
    slots = slots.select_related("item", "queue", "lease_owner", "assignee").order_by("held_until", "id")
    held = slots.filter(state=SlotState.HELD)
    assigned = slots.filter(state__in=(SlotState.OPEN, SlotState.LEASED), assignee__isnull=False)
    if membership.role not in _LEADS:
        held, assigned = held.filter(lease_owner=membership.user_id), assigned.filter(assignee=membership.user_id)
    return [
        *(KeptSlot(slot, slot.lease_owner, slot.lease_owner_id) for slot in held[:LISTED]),
        *(KeptSlot(slot, slot.assignee, holder_of(slot)) for slot in assigned[:LISTED]),
    ]


@dataclass(frozen=True, slots=True)
class SlotRow:
    """A slot of an item as a lead sees it, with the members it could be assigned to."""

    slot: Assignment
    seen: uuid.UUID | None
    people: list[Membership]


def slots_for_lead(*, item: ReviewItem, membership: Membership) -> list[SlotRow]:
    """Return what is not answered yet of an undecided item, for leads; three queries, however many slots there are."""
    if membership.role not in _LEADS or item.state not in OPEN_STATES:
        return []
    slots = list(
        item.assignments.exclude(state=SlotState.VOID).select_related("lease_owner", "assignee").order_by("slot_no")
    )
    out = set(item.exclusions.values_list("reviewer", flat=True))
    out |= {slot.lease_owner_id for slot in slots if slot.state == SlotState.SUBMITTED and slot.lease_owner_id}
    people = [one for one in members_of(item.project) if one.user_id not in out and one.user.is_active]
    return [
        SlotRow(slot, holder_of(slot), [one for one in people if one.role in workers_of(slot)])
        for slot in slots
        if slot.state in MOVABLE
    ]
