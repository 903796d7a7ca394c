"""Open decided items again."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Sequence

from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext

from review.errors import InvalidAnswer
from review.models import Exclusion, Reopening, ReviewItem
from review.models.items import ItemState, SlotRole, SlotState
from review.services.answers import validate_note
from review.services.appeal_outcomes import DECIDED_THE_ORIGINAL
from review.services.claims import ADJUDICATORS
from review.services.cluster_undo import end_precedents
from review.services.decisions import next_number
from review.services.raising import add_slot
from webapp.accounts.models import Membership, Role
from webapp.accounts.services import user_actor
from webapp.audit.log import EventObject, record_event


@transaction.atomic
def reopen(*, item: ReviewItem, membership: Membership, reason: str) -> ReviewItem:
    """Put a decided item before people again, in a new cycle; until that decides, the decision so far holds.

    It goes to people who did not answer it before, unless the project has too few of them. Raises InvalidAnswer without
    a `reason`, when the item is not decided, and when its check waits in the queue already.
    """
    validate_note(reason)
    if not reason:
        raise InvalidAnswer(gettext("Say why it is opened again."))
    item = ReviewItem.objects.select_related("queue").lock(item.id)
    if item.golden_id is not None:
        raise InvalidAnswer(gettext("This is a golden item: nothing follows from it. Retire it instead."))
    if item.state != ItemState.DECIDED:
        raise InvalidAnswer(gettext("Only a decided item can be opened again."))
    if item.decided_at is not None and item.decided_at > timezone.now():
        raise InvalidAnswer(gettext("Who decided it can still take that back. Open it again in a moment."))
    _keep_away(item)
    begin_cycle(item, [SlotRole.PRIMARY, *[SlotRole.OVERLAP] * (item.queue.required_reviews - 1)])
    Reopening.objects.create(item=item, cycle=item.cycle, reopened_by=membership.user, reason=reason)
    record_event(
        type="review.item.reopened",
        project_id=item.project_id,
        actor=user_actor(membership.user, membership.role),
        object=EventObject("review_item", item.id, rev=str(item.cycle)),
        reason_codes=["cause:lead"],
    )
    return item


def begin_cycle(item: ReviewItem, roles: Sequence[SlotRole]) -> None:
    """Put a locked item, which is decided, before people again, with a slot of each role and a new SLA.

    Raises InvalidAnswer when its check waits in the queue already, as another item.
    """
    end_precedents(item)
    # What nobody has looked at by now is not what holds any more.
    item.assignments.filter(role=SlotRole.QA).exclude(state=SlotState.SUBMITTED).update(state=SlotState.VOID)
    item.cycle += 1
    item.version += 1
    item.state = ItemState.REOPENED
    item.sla_due_at = timezone.now() + dt.timedelta(seconds=item.queue.sla_seconds)
    item.escalation_note = ""
    try:
        with transaction.atomic():
            item.save(update_fields=["cycle", "version", "state", "sla_due_at", "escalation_note"])
    except IntegrityError:  # asked of the database: something new may be found in it at this moment
        raise InvalidAnswer(gettext("This check came to the queue once more and waits there already.")) from None
    for role in roles:
        add_slot(item, next_number(item), role)


def _keep_away(item: ReviewItem) -> None:
    """Exclude those who answered before; whoever is needed again may take a second slot of the item."""
    earlier = set(item.annotations.values_list("reviewer", flat=True))
    away = earlier - _needed_again(item, earlier)
    Exclusion.objects.bulk_create(
        [Exclusion(item=item, reviewer_id=user, why=DECIDED_THE_ORIGINAL) for user in away], ignore_conflicts=True
    )
    # One person has one live slot of an item; that of the cycle before is no longer theirs. The answer keeps its name.
    item.assignments.filter(lease_owner__in=earlier - away).update(lease_owner=None)


def _needed_again(item: ReviewItem, earlier: set[uuid.UUID]) -> set[uuid.UUID]:
    roles = dict(
        item.project.memberships.filter(role__in=(*ADJUDICATORS, Role.REVIEWER), user__is_active=True).values_list(
            "user", "role"
        )
    )
    away = earlier | set(item.exclusions.values_list("reviewer", flat=True))
    left = {user: role for user, role in roles.items() if user not in away}
    if len(left) < item.queue.required_reviews:
        return earlier
    if any(role in ADJUDICATORS for role in left.values()):
        return set()
    return {user for user in earlier if roles.get(user) in ADJUDICATORS}  # else nobody could settle a disagreement
