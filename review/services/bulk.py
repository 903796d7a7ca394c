"""Start, run and undo bulk actions. A sweep does the work in chunks; what is done twice is done once."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Mapping
from typing import Any

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from review.browse.finding import matching_items
from review.bulk.changes import Skip, change, revert
from review.errors import InvalidAnswer
from review.models import ReviewItem
from review.models.bulk import BulkAction, BulkChange, BulkKind, BulkState, ChangeState
from review.models.items import OPEN_STATES
from review.services.answers import validate_note
from review.services.sweeping import sweep_each
from webapp.accounts.models import Membership, Project
from webapp.accounts.services import user_actor
from webapp.audit.log import EventObject, record_event

#: Items of one action; a filter that matches more is refused, never cut.
MOST = 10_000
#: Items that are locked together, and how often that is done before others get their turn with the worker.
CHUNK, CHUNKS = 50, 20


def changeable(*, project: Project, filters: Mapping[str, Any], until: dt.datetime) -> QuerySet[ReviewItem]:
    """Return the open items that a filter matches and that had come in at `until`."""
    return matching_items(project=project, filters=filters).filter(state__in=OPEN_STATES, created_at__lte=until)


def count_changeable(*, project: Project, filters: Mapping[str, Any], until: dt.datetime) -> int:
    """Return how many there are; counting stops beyond MOST."""
    return changeable(project=project, filters=filters, until=until)[: MOST + 1].count()


@transaction.atomic
def start_bulk(
    *,
    membership: Membership,
    kind: BulkKind,
    value: str,
    reason: str,
    filters: Mapping[str, Any],
    query: str,
    until: dt.datetime,
    counted: int,
) -> BulkAction:
    """Fix which items an action changes; the sweep changes them.

    `counted` is what the lead confirmed: raises InvalidAnswer when more match now, when more than MOST or none do, and
    without a reason.
    """
    validate_note(reason)
    if not reason:
        raise InvalidAnswer(_("Say why: the reason stays with the action."))
    ids = list(
        changeable(project=membership.project, filters=filters, until=until).values_list("id", flat=True)[: MOST + 1]
    )
    if len(ids) > MOST:
        raise InvalidAnswer(_("More than %(most)d items match. Narrow the filter.") % {"most": MOST})
    if not ids:
        raise InvalidAnswer(_("No open item matches any more."))
    if len(ids) > counted:
        raise InvalidAnswer(_("%(now)d items match now. Look again, then confirm.") % {"now": len(ids)})
    action = BulkAction.objects.create(
        project=membership.project,
        kind=kind,
        value=value,
        reason=reason,
        query=query,
        total=len(ids),
        created_by=membership.user,
        role=membership.role,
    )
    BulkChange.objects.bulk_create((BulkChange(action=action, item_id=item) for item in ids), batch_size=1000)
    _record("review.bulk.started", action, membership)
    return action


@transaction.atomic
def undo_bulk(*, action: BulkAction, membership: Membership) -> None:
    """Have everything taken back that did not change since; twice is harmless.

    Of an action that still runs, what it has not changed yet stays as it is.
    """
    action = BulkAction.objects.select_for_update().get(id=action.id)
    if action.state in (BulkState.UNDOING, BulkState.UNDONE):
        return
    if action.state == BulkState.RUNNING:
        action.changes.filter(state=ChangeState.WAITING).update(state=ChangeState.SKIPPED, why="stopped")
    action.state, action.undone_by, action.finished_at = BulkState.UNDOING, membership.user, None
    action.save(update_fields=["state", "undone_by", "finished_at"])
    _record("review.bulk.undone", action, membership)


def sweep_bulk() -> int:
    """Go on with the actions that are at work, and return how many items were looked at."""
    at_work = BulkAction.objects.filter(state__in=(BulkState.RUNNING, BulkState.UNDOING)).order_by("created_at")
    return sweep_each(at_work.values_list("id", flat=True), _run)


def _run(action_id: uuid.UUID) -> int:
    done = 0
    for _turn in range(CHUNKS):
        some = _chunk(action_id)
        if not some:
            break
        done += some
    return done


@transaction.atomic
def _chunk(action_id: uuid.UUID) -> int:
    """Do the next items of an action and return how many; 0 when it is done, or another worker is at it."""
    action = (
        BulkAction.objects.select_for_update(skip_locked=True, of=("self",))
        .select_related("project", "created_by", "undone_by")
        .filter(id=action_id, state__in=(BulkState.RUNNING, BulkState.UNDOING))
        .first()
    )
    if action is None:
        return 0
    undoing = action.state == BulkState.UNDOING
    todo = action.changes.filter(state=ChangeState.CHANGED if undoing else ChangeState.WAITING)
    changes = list(todo.order_by("item")[:CHUNK])
    if not changes:
        action.state = BulkState.UNDONE if undoing else BulkState.DONE
        action.finished_at = timezone.now()
        action.save(update_fields=["state", "finished_at"])
        return 0
    items = ReviewItem.objects.select_for_update(no_key=True, of=("self",)).select_related("checked")
    locked = {item.id: item for item in items.filter(id__in=[one.item_id for one in changes]).order_by("id")}
    for one in changes:
        _undo_one(action, one, locked[one.item_id]) if undoing else _change_one(action, one, locked[one.item_id])
    BulkChange.objects.bulk_update(changes, ["state", "why", "before", "after"])
    return len(changes)


def _change_one(action: BulkAction, one: BulkChange, item: ReviewItem) -> None:
    try:
        one.before, one.after = change(action, item)
    except Skip as skip:
        one.state, one.why = ChangeState.SKIPPED, str(skip)
        return
    one.state = ChangeState.CHANGED
    _record_item(action, item)


def _undo_one(action: BulkAction, one: BulkChange, item: ReviewItem) -> None:
    try:
        revert(action, item, one.before, one.after)
    except Skip as skip:
        one.state, one.why = ChangeState.KEPT, str(skip)
        return
    one.state = ChangeState.REVERTED
    _record_item(action, item, "cause:undo")


def _record_item(action: BulkAction, item: ReviewItem, *codes: str) -> None:
    by = action.undone_by or action.created_by
    role = action.role if by == action.created_by else ""
    record_event(
        type="review.item.changed",
        project_id=item.project_id,
        actor=user_actor(by, role),
        object=EventObject("review_item", item.id),
        reason_codes=[f"bulk:{action.kind}", *codes],
        cause=[f"bulk:{action.id}"],
    )


def _record(type: str, action: BulkAction, membership: Membership) -> None:
    record_event(
        type=type,
        project_id=action.project_id,
        actor=user_actor(membership.user, membership.role),
        object=EventObject("bulk_action", action.id),
        reason_codes=[f"kind:{action.kind}"],
        counts={"items": action.total},
    )
