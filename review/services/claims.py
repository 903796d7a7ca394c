"""Leases: who may work on which slot until when."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Any

from django.db import connection, transaction
from django.db.models import Case, Exists, F, OuterRef, QuerySet, When
from django.utils import timezone
from django.utils.translation import gettext

from review.errors import SlotLost
from review.models import Assignment, Queue, ReviewItem
from review.models.items import ItemState, SlotRole, SlotState
from review.profiles import missing_skills, profile_of
from review.rest import due_rest
from webapp.accounts.models import Membership, Role, User
from webapp.accounts.services import user_actor
from webapp.audit.log import EventObject, record_event

LIVE_STATES = (SlotState.LEASED, SlotState.HELD, SlotState.SUBMITTED)
WAITING_STATES = (ItemState.PENDING, ItemState.REOPENED)
ADJUDICATORS = (Role.OWNER, Role.LEAD)

# One slot at a time: with LIMIT 2 both slots of a doubly reviewed item could go to one reviewer. The second round
# sees the first one's lease. A row that another claim changed since our snapshot is judged anew when it is locked.
# "id = (SELECT ...)" runs the subquery once; under IN a plan may run it again and lock more rows than the limit.
_FREE = """
    SELECT slot.id FROM review_assignment slot
    WHERE {whose}
      AND slot.queue_id = %(queue)s
      AND slot.state IN ('open', 'leased')
      AND (slot.state = 'open' OR slot.lease_expires_at <= %(now)s)
      AND slot.role <> 'qa'
      AND (slot.role <> 'adjudicator' OR %(adjudicates)s)
      AND NOT EXISTS (
          SELECT 1 FROM review_reviewerpause pause
          WHERE pause.queue_id = %(queue)s AND pause.reviewer_id = %(reviewer)s AND pause.lifted_at IS NULL)
      AND NOT EXISTS (
          SELECT 1 FROM review_exclusion ex WHERE ex.item_id = slot.item_id AND ex.reviewer_id = %(reviewer)s)
      {wanted}
      AND NOT EXISTS (
          SELECT 1 FROM review_assignment own
          WHERE own.item_id = slot.item_id AND own.lease_owner_id = %(reviewer)s AND own.id <> slot.id
            AND own.state IN ('leased', 'held', 'submitted'))
    ORDER BY slot.priority DESC, slot.sla_due_at, slot.id
    FOR UPDATE OF slot SKIP LOCKED
    LIMIT 1
"""
# What the reviewer does not want or read; asked only for who chose anything. OFFSET keeps the planner from turning the
# questions into joins: each is asked by key, of the candidate alone, and never reads all findings of a category.
_WANTED = """
      AND NOT EXISTS (
          SELECT 1 FROM review_reviewitem item
          WHERE item.id = slot.item_id
            AND (%(languages)s::text[] <> '{}' AND item.language <> '' AND item.language <> ALL (%(languages)s::text[])
              OR EXISTS (
                  SELECT 1 FROM interception_finding finding
                  WHERE finding.check_id = item.check_id AND finding.category = ANY (%(opted_out)s::text[])
                  OFFSET 0))
          OFFSET 0)
"""


# What a lead assigned to the reviewer comes first; the pool is not even looked at then. Two subqueries, as each has an
# index of its own: what others are assigned must not lie in the way of the pool.
def _claim(wanted: str) -> str:
    mine = _FREE.format(whose="slot.assignee_id = %(reviewer)s", wanted=wanted)
    pool = _FREE.format(whose="slot.assignee_id IS NULL", wanted=wanted)
    return f"""
UPDATE review_assignment SET
    state = 'leased', lease_owner_id = %(reviewer)s, lease_token = gen_random_uuid(),
    lease_expires_at = %(now)s + %(lease)s, opened_at = NULL, shown_at = NULL,
    expired_at = CASE WHEN state = 'leased' AND shown_at IS NOT NULL THEN lease_expires_at ELSE expired_at END
WHERE id = COALESCE(({mine}), ({pool}))
RETURNING id
"""  # noqa: S608  # no part of it comes from outside


_CLAIM, _CLAIM_WANTED = _claim(""), _claim(_WANTED)


def lock_reviewer(user_id: uuid.UUID) -> None:
    """Serialise what one reviewer does until the transaction ends: two tabs must not claim at once."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [f"reviewer:{user_id}"])


@transaction.atomic
def claim_items(*, queue: Queue, membership: Membership, k: int = 2) -> list[Assignment]:
    """Return up to `k` slots that the member holds in `queue`, the one to work on first.

    Of a queue that needs skills which they lack they get nothing new, nor findings of categories they opted out of, nor
    languages they do not read. While a rest is due they keep what is on their screen, and get nothing else; what
    waited behind it goes back.

    Live leases that they already hold count. Of new ones the first gets the full lease when nothing is held yet, the
    others the short lease of what waits ahead. No two members ever hold the same slot.
    """
    lock_reviewer(membership.user_id)
    now = timezone.now()
    resting = due_rest(membership=membership, now=now) is not None
    if resting:
        _give_back_unseen(membership.user)
    held = held_slots(queue=queue, user=membership.user, now=now)[:k]
    claimed: list[uuid.UUID] = []
    refused = queue.paused or resting or missing_skills(queue=queue, membership=membership)
    while not refused and len(held) + len(claimed) < k:
        first = not held and not claimed
        seconds = queue.lease_seconds if first else queue.prefetch_lease_seconds
        slot_id = _claim_one(queue, membership, now, dt.timedelta(seconds=seconds))
        if slot_id is None:
            break
        claimed.append(slot_id)
    fresh = Assignment.objects.select_related("item").in_bulk(claimed)
    slots = held + [fresh[slot_id] for slot_id in claimed]
    _begin_review(slots)
    return slots


def _give_back_unseen(user: User) -> None:
    _give_back(Assignment.objects.filter(lease_owner=user, state=SlotState.LEASED, shown_at=None))


def _give_back(slots: QuerySet[Assignment]) -> int:
    # SKIP LOCKED: a bulk action that changes one of these slots may be waiting for another of them.
    # A decision that a lead looks at again is on a page of its own, and not of this work.
    free = slots.exclude(role=SlotRole.QA).select_for_update(skip_locked=True).values("id")
    return Assignment.objects.filter(id__in=free).update(
        state=SlotState.OPEN, lease_owner=None, lease_token=None, lease_expires_at=None
    )


def held_slots(*, queue: Queue, user: User, now: dt.datetime) -> list[Assignment]:
    """Return the live leases of `user` in `queue`: what is on screen first, then as claimed."""
    return list(
        Assignment.objects.filter(queue=queue, lease_owner=user, state=SlotState.LEASED, lease_expires_at__gt=now)
        .exclude(role=SlotRole.QA)
        .select_related("item")
        .order_by(F("shown_at").asc(nulls_last=True), "-priority", "sla_due_at", "id")
    )


def _claim_one(queue: Queue, membership: Membership, now: dt.datetime, lease: dt.timedelta) -> uuid.UUID | None:
    parameters: dict[str, Any] = {
        "reviewer": membership.user_id,
        "queue": queue.id,
        "now": now,
        "lease": lease,
        "adjudicates": membership.role in ADJUDICATORS,
    }
    profile = profile_of(membership)
    parameters |= {"opted_out": profile.opted_out, "languages": profile.languages}
    with connection.cursor() as cursor:
        cursor.execute(_CLAIM_WANTED if profile.opted_out or profile.languages else _CLAIM, parameters)
        row = cursor.fetchone()
    return row[0] if row else None


def _begin_review(slots: list[Assignment]) -> None:
    waiting = [slot.item_id for slot in slots if slot.item.state in WAITING_STATES]
    if not waiting:
        return
    # SKIP LOCKED: whoever holds the item may be waiting for the slot that we hold.
    begun = (
        ReviewItem.objects.select_for_update(skip_locked=True, no_key=True)
        .filter(id__in=waiting, state__in=WAITING_STATES)
        .values("id")
    )
    ReviewItem.objects.filter(id__in=begun).update(state=ItemState.IN_REVIEW)


def _own_other_live_slot() -> Exists:
    others = Assignment.objects.filter(
        item=OuterRef("item"), lease_owner=OuterRef("lease_owner"), state__in=LIVE_STATES
    ).exclude(id=OuterRef("id"))
    return Exists(others)


@transaction.atomic
def heartbeat(*, slot: Assignment, user: User, lease_token: uuid.UUID) -> dt.datetime:
    """Extend the lease to the queue's full length and return its new end; raise SlotLost when it is not theirs.

    A lease that ran out is revived as long as nobody took the slot.
    """
    lock_reviewer(user.id)
    expires_at = timezone.now() + dt.timedelta(seconds=slot.queue.lease_seconds)
    extended = (
        Assignment.objects.filter(
            id=slot.id,
            lease_owner=user,
            lease_token=lease_token,
            state__in=(SlotState.OPEN, SlotState.LEASED),
        )
        .exclude(_own_other_live_slot())
        .update(state=SlotState.LEASED, lease_expires_at=expires_at)
    )
    if not extended:
        raise SlotLost(gettext("This item is no longer reserved for you."))
    return expires_at


@transaction.atomic
def show(*, slot: Assignment, user: User, lease_token: uuid.UUID) -> dt.datetime:
    """Note that a slot came on its holder's screen, give it the full lease, and return the lease's end."""
    expires_at = heartbeat(slot=slot, user=user, lease_token=lease_token)
    Assignment.objects.filter(id=slot.id, shown_at=None).update(shown_at=timezone.now())
    return expires_at


@transaction.atomic
def mark_opened(*, slot: Assignment, membership: Membership) -> None:
    """Record, once a lease, that the texts of the slot's item went to its holder."""
    now = timezone.now()
    opened = Assignment.objects.filter(
        id=slot.id, lease_owner_id=membership.user_id, lease_token=slot.lease_token, opened_at=None
    ).update(opened_at=now)
    if opened:
        _begin_review([slot])  # when somebody else held the item as it was claimed
        record_view(item=slot.item, membership=membership)


@transaction.atomic
def record_view(*, item: ReviewItem, membership: Membership) -> None:
    """Record that a member was given the texts of a check."""
    record_event(
        type="content.viewed",
        project_id=item.project_id,
        actor=user_actor(membership.user, membership.role),
        object=EventObject("review_item", item.id),
        cause=[item.checked.public_id],
    )


def lease_again(slot: Assignment, user: User, *, seconds: int) -> None:
    """Give a locked slot to `user` with a fresh token, as if they had just claimed it."""
    slot.state = SlotState.LEASED
    slot.lease_owner = user
    slot.lease_token = uuid.uuid4()
    slot.lease_expires_at = timezone.now() + dt.timedelta(seconds=seconds)
    slot.held_until = slot.opened_at = slot.shown_at = None
    slot.hold_reason = ""
    lease = ["state", "lease_owner", "lease_token", "lease_expires_at"]
    slot.save(update_fields=[*lease, "held_until", "hold_reason", "opened_at", "shown_at"])


@transaction.atomic
def release_slot(*, slot: Assignment, user: User, lease_token: uuid.UUID) -> bool:
    """Give a leased slot back to the queue; False when the lease was not theirs any more."""
    return bool(
        Assignment.objects.filter(id=slot.id, lease_owner=user, lease_token=lease_token, state=SlotState.LEASED).update(
            state=SlotState.OPEN, lease_owner=None, lease_token=None, lease_expires_at=None
        )
    )


@transaction.atomic
def release_all(*, queue: Queue, user: User) -> int:
    """Give back every slot that `user` has leased in `queue`, and return how many; not what others change just now."""
    lock_reviewer(user.id)
    return _give_back(Assignment.objects.filter(queue=queue, lease_owner=user, state=SlotState.LEASED))


@transaction.atomic
def sweep_leases() -> int:
    """Open the slots whose leases ran out, and return how many.

    Owner and token stay on the slot, so that an answer which comes late but before anyone else still counts.
    """
    expired = (
        Assignment.objects.select_for_update(skip_locked=True)
        .filter(state=SlotState.LEASED, lease_expires_at__lte=timezone.now())
        .values("id")
    )
    on_screen = Case(When(shown_at__isnull=False, then=F("lease_expires_at")), default=F("expired_at"))
    return Assignment.objects.filter(id__in=expired).update(state=SlotState.OPEN, expired_at=on_screen)


def may_adjudicate(slot: Assignment, membership: Membership) -> bool:
    return slot.role != SlotRole.ADJUDICATOR or membership.role in ADJUDICATORS
