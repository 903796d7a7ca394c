"""Pass items on: skip them, or hand them to the leads."""

from __future__ import annotations

import uuid
from collections.abc import Sequence

from django.db import transaction
from django.utils.text import slugify
from django.utils.translation import gettext
from django.utils.translation import gettext as _

from review.errors import InvalidAnswer, SlotLost
from review.models import Assignment, Exclusion, Mention, ReviewItem
from review.models.items import ItemState, SlotRole, SlotState
from review.services.claims import lock_reviewer
from review.services.comments import whom_to_ask
from review.services.decisions import to_adjudication
from webapp.accounts.models import Membership, User
from webapp.accounts.services import SYSTEM, user_actor
from webapp.audit.log import Actor, EventObject, record_event

SKIPPED = "skipped"
SKIPS_BEFORE_ESCALATION = 3
MAX_REASON = 2_000


@transaction.atomic
def skip(*, slot: Assignment, membership: Membership, lease_token: uuid.UUID, reason: str) -> None:
    """Give the slot back for others; this member never gets the item again. The third skipper escalates it.

    `reason` is one of the queue's. Raises InvalidAnswer for another one, SlotLost when the slot is not theirs.
    """
    lock_reviewer(membership.user_id)
    item, slot = _lock(slot, membership, lease_token)
    if reason not in item.queue.skip_reasons:
        raise InvalidAnswer(gettext("Choose one of the reasons to skip this item."))
    Exclusion.objects.get_or_create(item=item, reviewer=membership.user, why=SKIPPED, defaults={"reason": reason})
    _put_back(slot, SlotState.OPEN)
    record_event(
        type="review.item.skipped",
        project_id=item.project_id,
        actor=user_actor(membership.user, membership.role),
        object=EventObject("review_item", item.id),
        reason_codes=[f"reason:{slugify(reason)[:100] or 'other'}"],  # some characters become several
    )
    skippers = item.exclusions.filter(why=SKIPPED).count()
    if skippers >= SKIPS_BEFORE_ESCALATION and slot.role != SlotRole.ADJUDICATOR:
        _escalate(item, SYSTEM, "cause:skipped")


@transaction.atomic
def escalate(
    *, slot: Assignment, membership: Membership, lease_token: uuid.UUID, note: str, ask: uuid.UUID | None = None
) -> None:
    """Hand the item of a slot to the leads; raise SlotLost when the slot is not the member's.

    `note` says why, and is shown to whoever decides, beside the answers given so far. Leads whom it names as @name, and
    `ask`, are asked: they find it on their page. Raises InvalidAnswer when there is no note, or it can not be kept, and
    when `ask` is no lead of the project.
    """
    if not note or len(note) > MAX_REASON or "\0" in note:
        raise InvalidAnswer(
            _("Say why, in at most %(number)d characters: a lead has to go on from there.") % {"number": MAX_REASON}
        )
    lock_reviewer(membership.user_id)
    item, slot = _lock(slot, membership, lease_token)
    if slot.role == SlotRole.ADJUDICATOR:
        raise InvalidAnswer(gettext("This item is already with the leads: decide it, or skip it."))
    asked, _unknown = whom_to_ask(item=item, author=membership, text=note, ask=ask, leads_only=True)
    _put_back(slot, SlotState.VOID)
    _escalate(item, user_actor(membership.user, membership.role), "cause:reviewer", asked)
    # Of an item that several answer, more than one may say why.
    item.escalation_note = "\n\n".join(filter(None, (item.escalation_note, note)))
    item.save(update_fields=["escalation_note"])
    Mention.objects.bulk_create(Mention(item=item, user=person, author=membership.user) for person in asked)


def _lock(slot: Assignment, membership: Membership, lease_token: uuid.UUID) -> tuple[ReviewItem, Assignment]:
    item = ReviewItem.objects.lock(slot.item_id)
    slot = Assignment.objects.select_for_update().get(id=slot.id)
    held = slot.lease_owner_id == membership.user_id and slot.lease_token == lease_token
    if not held or slot.state not in (SlotState.OPEN, SlotState.LEASED):
        raise SlotLost(gettext("This item is no longer reserved for you."))
    return item, slot


def _put_back(slot: Assignment, state: SlotState) -> None:
    slot.state = state
    slot.lease_owner = None
    slot.lease_token = None
    slot.lease_expires_at = None
    slot.assignee = None
    slot.held_until = None
    lease = ["state", "lease_owner", "lease_token", "lease_expires_at"]
    slot.save(update_fields=[*lease, "assignee", "held_until"])


def _escalate(item: ReviewItem, actor: Actor, cause: str, asked: Sequence[User] = ()) -> None:
    if item.state not in (ItemState.ESCALATED, ItemState.ADJUDICATION):
        to_adjudication(item, ItemState.ESCALATED)
    elif actor == SYSTEM:
        return
    record_event(
        type="review.item.escalated",
        project_id=item.project_id,
        actor=actor,
        object=EventObject("review_item", item.id),
        reason_codes=[cause],
        cause=[f"user:{person.id}" for person in asked],
    )
