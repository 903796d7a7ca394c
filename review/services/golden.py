"""What leads do with golden items, and with reviewers who were paused for them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext

from review.errors import InvalidAnswer
from review.models import GoldenItem, ReviewerPause, ReviewItem
from review.models.items import ItemState
from review.services.answers import validate_note
from review.services.probes import take_away
from webapp.accounts.models import Membership
from webapp.accounts.services import user_actor
from webapp.audit.log import EventObject, record_event


@transaction.atomic
def make_golden(
    *,
    item: ReviewItem,
    membership: Membership,
    outcome: str,
    labels: Mapping[str, bool],
    spans: Sequence[tuple[int, int, str]],
    note: str,
) -> GoldenItem:
    """Let reviewers of the item's queue be measured by the right answer to it; the item itself stays as it is.

    Raises InvalidAnswer when the item is not decided for good, or is golden already.
    """
    validate_note(note)
    item = ReviewItem.objects.select_related("queue").lock(item.id)
    if item.golden_id is not None or item.state != ItemState.DECIDED or item.decided_at is None:
        raise InvalidAnswer(gettext("Only a decided item can become golden."))
    if item.decided_at > timezone.now():
        raise InvalidAnswer(gettext("Who decided it can still take that back. Try again in a moment."))
    try:
        with transaction.atomic():
            golden = GoldenItem.objects.create(
                project_id=item.project_id,
                queue=item.queue,
                source=item,
                outcome=outcome,
                labels=dict(labels),
                spans=[list(span) for span in spans],
                note=note,
                created_by=membership.user,
            )
    except IntegrityError:
        raise InvalidAnswer(gettext("This item is golden already. Retire that one first.")) from None
    _record("review.golden.made", golden, membership)
    return golden


@transaction.atomic
def retire_golden(*, golden: GoldenItem, membership: Membership) -> None:
    """Show a golden item to nobody any more, and take it from whoever has it; its results stay. Twice is harmless."""
    if not take_away(golden):
        return
    _record("review.golden.retired", golden, membership)


def _record(type: str, golden: GoldenItem, membership: Membership) -> None:
    record_event(
        type=type,
        project_id=golden.project_id,
        actor=user_actor(membership.user, membership.role),
        object=EventObject("golden_item", golden.id),
        cause=[f"item:{golden.source_id}"],
    )


@transaction.atomic
def lift_pause(*, pause: ReviewerPause, membership: Membership) -> None:
    """Let a reviewer go on in a queue; only answers from now on count towards another pause. Twice is harmless."""
    lifted = ReviewerPause.objects.filter(id=pause.id, lifted_at=None)
    if not lifted.update(lifted_at=timezone.now(), lifted_by=membership.user):
        return
    record_event(
        type="review.reviewer.resumed",
        project_id=membership.project_id,
        actor=user_actor(membership.user, membership.role),
        object=EventObject("user", pause.reviewer_id),
        cause=[f"queue:{pause.queue_id}"],
    )
