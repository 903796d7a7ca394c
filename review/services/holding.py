"""Keep an item for later: a hold outlives the lease, and goes back to the pool in time for others."""

from __future__ import annotations

import datetime as dt
import uuid

from django.db import transaction
from django.db.models import OuterRef, Subquery
from django.utils import timezone
from django.utils.translation import gettext as _

from review.errors import InvalidAnswer, SlotLost
from review.models import Assignment, Exclusion, ReviewItem
from review.models.items import SlotRole, SlotState
from review.profiles import missing_skills
from review.rest import due_rest
from review.services.claims import ADJUDICATORS, LIVE_STATES, lease_again, lock_reviewer
from webapp.accounts.models import Membership, Role
from webapp.accounts.services import SYSTEM, user_actor
from webapp.audit.log import Actor, EventObject, record_event

#: More than these and a reviewer collects instead of deciding.
HOLDS_EACH = 5
MAX_REASON = 200


@transaction.atomic
def hold(*, slot: Assignment, membership: Membership, lease_token: uuid.UUID, reason: str = "") -> Assignment:
    """Keep a slot for its holder beyond the lease, and return it; holding it twice is harmless.

    It goes back to the pool a lease's length before the item is due. Raises InvalidAnswer when that is past, when the
    member holds HOLDS_EACH already, and for a reason that can not be kept; SlotLost when the slot is not theirs.
    """
    if len(reason) > MAX_REASON or "\0" in reason:
        raise InvalidAnswer(_("Give a reason of at most 200 characters."))
    lock_reviewer(membership.user_id)
    item, slot = lock_slot(slot)
    theirs = slot.lease_owner_id == membership.user_id and slot.lease_token == lease_token
    if theirs and slot.state == SlotState.HELD:
        return slot
    if not theirs or slot.state not in (SlotState.OPEN, SlotState.LEASED) or has_another(slot, membership):
        raise SlotLost(_("This item is no longer reserved for you."))
    until = item.sla_due_at - dt.timedelta(seconds=item.queue.lease_seconds)
    if until <= timezone.now():
        raise InvalidAnswer(_("It is due too soon to be held: decide it, skip it or escalate it."))
    held = Assignment.objects.filter(
        lease_owner=membership.user, state=SlotState.HELD, queue__project=membership.project_id
    )
    if held.count() >= HOLDS_EACH:
        raise InvalidAnswer(
            _("You hold %(number)d items already. Go on with one of them first.") % {"number": HOLDS_EACH}
        )
    slot.state, slot.held_until, slot.hold_reason = SlotState.HELD, until, reason
    slot.save(update_fields=["state", "held_until", "hold_reason"])
    record_slot_event("review.item.held", item, user_actor(membership.user, membership.role))
    return slot


@transaction.atomic
def resume(*, slot: Assignment, membership: Membership) -> Assignment:
    """Lease a slot that the member holds, or is assigned, to them with a fresh token; a live lease stays as it is.

    A hold whose time is over is theirs as long as nobody took the slot. Raises SlotLost when it is not theirs, and
    InvalidAnswer when it was only assigned and the queue is paused: that gives out nothing new.
    """
    lock_reviewer(membership.user_id)
    item, slot = lock_slot(slot)
    theirs = slot.lease_owner_id == membership.user_id and slot.lease_token is not None
    if theirs and slot.state == SlotState.LEASED:
        return slot
    assigned = slot.state == SlotState.OPEN and slot.assignee_id == membership.user_id
    if not (theirs or assigned) or slot.state not in (SlotState.OPEN, SlotState.HELD) or why_unable(slot, membership):
        raise SlotLost(_("You do not hold this any more: it went back to the queue."))
    if not theirs and item.queue.paused:
        raise InvalidAnswer(_("A lead paused this queue: it gives out nothing new until it goes on."))
    if not theirs and (gets_nothing(item, membership) or due_rest(membership=membership, now=timezone.now())):
        raise InvalidAnswer(_("You get nothing new of this queue now."))
    held = slot.state == SlotState.HELD
    lease_again(slot, membership.user, seconds=item.queue.lease_seconds)
    if held:
        record_slot_event("review.item.resumed", item, user_actor(membership.user, membership.role))
    return slot


@transaction.atomic
def sweep_holds() -> int:
    """Put held slots back whose time is over, or whose holder does not review any more, and return how many.

    Owner and token stay where the time is over, as with a lease: an answer that comes before anyone else's counts.
    """
    member = Membership.objects.filter(
        project=OuterRef("item__project"), user=OuterRef("lease_owner"), user__is_active=True
    )
    held = Assignment.objects.filter(state=SlotState.HELD).annotate(role_now=Subquery(member.values("role")))
    over = 0
    for slot in held.select_related("item").select_for_update(skip_locked=True, of=("self",)).order_by("id"):
        able = slot.role_now in workers_of(slot)
        if able and slot.held_until is not None and slot.held_until > timezone.now():
            continue
        free(slot, keep_owner=able)
        record_slot_event("review.item.returned", slot.item, SYSTEM, "cause:time" if able else "cause:member")
        over += 1
    return over


def lock_slot(slot: Assignment) -> tuple[ReviewItem, Assignment]:
    item = ReviewItem.objects.select_related("queue").lock(slot.item_id)
    return item, Assignment.objects.select_for_update().get(id=slot.id)


def free(slot: Assignment, *, keep_owner: bool = False) -> None:
    """Put a locked slot back into the pool; its token holds as long as nobody takes it, if the owner is kept."""
    slot.state, slot.assignee, slot.held_until, slot.hold_reason = SlotState.OPEN, None, None, ""
    if not keep_owner:
        slot.lease_owner = slot.lease_token = slot.lease_expires_at = None
    lease = ["state", "lease_owner", "lease_token", "lease_expires_at"]
    slot.save(update_fields=[*lease, "assignee", "held_until", "hold_reason"])


def workers_of(slot: Assignment) -> tuple[Role, ...]:
    return ADJUDICATORS if slot.role == SlotRole.ADJUDICATOR else (*ADJUDICATORS, Role.REVIEWER)


def why_unable(slot: Assignment, membership: Membership) -> str:
    """Return why a member can not work on a slot of their project; "" when they can."""
    if membership.role not in workers_of(slot) or not membership.user.is_active:
        return _("Their role does not decide this item.")
    if Exclusion.objects.filter(item=slot.item_id, reviewer=membership.user).exists():
        return _("They skipped this item, or are not to have it.")
    if has_another(slot, membership):
        return _("They have another part of this item, or answered it already.")
    return ""


def gets_nothing(item: ReviewItem, membership: Membership) -> bool:
    """Whether a member is kept from the item's queue: they lack a skill that it needs, or are paused there."""
    if missing_skills(queue=item.queue, membership=membership):
        return True
    return item.queue.reviewer_pauses.filter(reviewer=membership.user, lifted_at=None).exists()


def has_another(slot: Assignment, membership: Membership) -> bool:
    live = Assignment.objects.filter(item=slot.item_id, lease_owner=membership.user, state__in=LIVE_STATES)
    return live.exclude(id=slot.id).exists()


def record_slot_event(type: str, item: ReviewItem, actor: Actor, *codes: str, to: uuid.UUID | None = None) -> None:
    record_event(
        type=type,
        project_id=item.project_id,
        actor=actor,
        object=EventObject("review_item", item.id),
        reason_codes=list(codes),
        cause=[f"user:{to}"] if to else [],
    )
