"""What the pages of review read of items that are kept for later."""

from __future__ import annotations

from django.db.models import QuerySet

from review.models import Assignment, ReviewItem
from review.models.items import SlotState
from webapp.accounts.models import Membership, Role, User

#: The list is for a look, not for search.
LISTED = 200


def own_hold(*, item: ReviewItem, user: User) -> Assignment | None:
    """Return the slot of `item` that `user` holds."""
    return Assignment.objects.filter(item=item, lease_owner=user, state=SlotState.HELD).first()


def holds_shown_to(*, membership: Membership) -> QuerySet[Assignment]:
    """Return what is held in the member's project, soonest over first: leads see everybody's, others their own."""
    held = Assignment.objects.filter(state=SlotState.HELD, queue__project=membership.project_id)
    if membership.role not in (Role.OWNER, Role.LEAD):
        held = held.filter(lease_owner=membership.user_id)
    return held.select_related("item", "queue", "lease_owner").order_by("held_until", "id")[:LISTED]
