"""What each kind of bulk action does to one locked item, and how it is taken back.

A change returns what the item was before and what it became; `Skip` says why it was left. Taking back happens only
while the item is still what it became.
"""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Callable
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import Q
from django.utils import timezone

from review.errors import ReviewError
from review.models import Appeal, Assignment, ReviewItem
from review.models.bulk import BulkAction, BulkKind
from review.models.items import OPEN_STATES, ItemState, SlotRole, SlotState
from review.services.assigning import assign, take_back
from review.services.decisions import AHEAD_OF_ALL
from review.services.raising import SAMPLED
from review.severity import risk_of
from webapp.accounts.models import Membership

Values = dict[str, Any]

#: Severity times risk is at most 4; what waits for a lead still comes before.
FIRST, LAST = 5.0, 0.0
PLACES = {"first": FIRST, "last": LAST}
_WAITING = (SlotState.OPEN, SlotState.LEASED, SlotState.HELD)


class Skip(Exception):
    """The item is left as it is; the argument is a key of WHY."""


def change(action: BulkAction, item: ReviewItem) -> tuple[Values, Values]:
    """Do to a locked item what the action says; return before and after. Raises Skip."""
    if item.state not in OPEN_STATES or item.golden_id is not None:
        raise Skip("closed")
    return _CHANGES[BulkKind(action.kind)](action, item)


def revert(action: BulkAction, item: ReviewItem, before: Values, after: Values) -> None:
    """Make a locked item what it was before; raise Skip when it is not what the action made of it any more."""
    try:
        with transaction.atomic():
            _REVERSALS[BulkKind(action.kind)](action, item, before, after)
    except (IntegrityError, ReviewError):
        raise Skip("moved_on") from None


def _require_nobody_at_it(item: ReviewItem) -> None:
    leased = Q(state=SlotState.LEASED, lease_expires_at__gt=timezone.now())
    if item.assignments.filter(leased | Q(state__in=(SlotState.HELD, SlotState.RESERVED))).exists():
        raise Skip("held")


def _move(action: BulkAction, item: ReviewItem) -> tuple[Values, Values]:
    queue = uuid.UUID(action.value)
    if item.queue_id == queue:
        raise Skip("same")
    _require_nobody_at_it(item)
    before = {"queue": str(item.queue_id)}
    _put_in(item, queue)
    return before, {"queue": action.value, "version": item.version}


def _put_in(item: ReviewItem, queue: uuid.UUID) -> None:
    item.queue_id = queue
    item.cluster = item.similarity = item.clustered_at = None
    item.version += 1
    try:
        with transaction.atomic():
            item.save(update_fields=["queue", "cluster", "similarity", "clustered_at", "version"])
    except IntegrityError:
        raise Skip("there") from None
    item.assignments.update(queue=queue)


def _move_back(action: BulkAction, item: ReviewItem, before: Values, after: Values) -> None:
    if item.state not in OPEN_STATES or (str(item.queue_id), item.version) != (after["queue"], after["version"]):
        raise Skip("moved_on")
    _require_nobody_at_it(item)
    _put_in(item, uuid.UUID(before["queue"]))


def _severity(action: BulkAction, item: ReviewItem) -> tuple[Values, Values]:
    severity = int(action.value)
    if item.severity == severity:
        raise Skip("same")
    before = {"severity": item.severity, "priority": item.priority}
    # A random sample stays unprioritised.
    if item.triggers.exclude(kind=SAMPLED).exists():
        item.priority = severity * risk_of(item.checked.findings.all(), item.checked)
    item.severity = severity
    _store_order(item)
    return before, {"severity": severity, "priority": item.priority}


def _priority(action: BulkAction, item: ReviewItem) -> tuple[Values, Values]:
    place = PLACES[action.value]
    if item.priority == place:
        raise Skip("same")
    before = {"severity": item.severity, "priority": item.priority}
    item.priority = place
    _store_order(item)
    return before, {"severity": item.severity, "priority": place}


def _store_order(item: ReviewItem) -> None:
    item.save(update_fields=["severity", "priority"])
    waiting = item.assignments.filter(state__in=_WAITING)
    waiting.exclude(role=SlotRole.ADJUDICATOR).update(priority=item.priority)
    waiting.filter(role=SlotRole.ADJUDICATOR).update(priority=item.priority + AHEAD_OF_ALL)


def _order_back(action: BulkAction, item: ReviewItem, before: Values, after: Values) -> None:
    if item.state not in OPEN_STATES or (item.severity, item.priority) != (after["severity"], after["priority"]):
        raise Skip("moved_on")
    item.severity, item.priority = before["severity"], before["priority"]
    _store_order(item)


def _assign(action: BulkAction, item: ReviewItem) -> tuple[Values, Values]:
    _require_nobody_at_it(item)
    slot = item.assignments.filter(state__in=_WAITING).order_by("slot_no").first()
    person = _member(action, action.value)
    if slot is None or person is None:
        raise Skip("unable")
    if slot.assignee_id == person.user_id:
        raise Skip("same")
    before = {
        "assignee": str(slot.assignee_id) if slot.assignee_id else "",
        "until": slot.held_until.isoformat() if slot.held_until else "",
    }
    try:
        with transaction.atomic():
            assign(slot=slot, assignee=person, membership=_lead(action), seen=None)
    except ReviewError:
        raise Skip("unable") from None
    return before, {"slot": str(slot.id), "assignee": action.value}


def _assign_back(action: BulkAction, item: ReviewItem, before: Values, after: Values) -> None:
    slot = Assignment.objects.filter(id=after["slot"], state=SlotState.OPEN, assignee=after["assignee"]).first()
    if slot is None or item.state not in OPEN_STATES:
        raise Skip("moved_on")
    former = _member(action, before["assignee"]) if before["assignee"] else None
    if former is None:
        take_back(slot=slot, membership=_lead(action), seen=None)
        return
    assign(slot=slot, assignee=former, membership=_lead(action), seen=None)
    until = dt.datetime.fromisoformat(before["until"]) if before["until"] else None
    Assignment.objects.filter(id=slot.id).update(held_until=until)


def _member(action: BulkAction, user: str) -> Membership | None:
    return Membership.objects.select_related("user").filter(project=action.project_id, user=uuid.UUID(user)).first()


def _lead(action: BulkAction) -> Membership:
    user = action.undone_by or action.created_by
    return Membership(user=user, project=action.project, role=action.role)


def _cancel(action: BulkAction, item: ReviewItem) -> tuple[Values, Values]:
    _require_nobody_at_it(item)
    if Appeal.objects.filter(item=item, outcome="").exists():
        raise Skip("appeal")
    waiting = item.assignments.filter(state__in=_WAITING)
    before = {"state": item.state, "slots": {str(slot): state for slot, state in waiting.values_list("id", "state")}}
    item.state = ItemState.CANCELLED
    item.version += 1
    item.save(update_fields=["state", "version"])
    waiting.update(state=SlotState.VOID)
    return before, {"version": item.version}


def _cancel_back(action: BulkAction, item: ReviewItem, before: Values, after: Values) -> None:
    if item.state != ItemState.CANCELLED or item.version != after["version"]:
        raise Skip("moved_on")
    item.state = before["state"]
    item.version += 1
    item.save(update_fields=["state", "version"])
    # A lease is over by now: whoever comes takes it.
    item.assignments.filter(id__in=before["slots"], state=SlotState.VOID).update(state=SlotState.OPEN)


_CHANGES: dict[BulkKind, Callable[[BulkAction, ReviewItem], tuple[Values, Values]]] = {
    BulkKind.MOVE: _move,
    BulkKind.SEVERITY: _severity,
    BulkKind.PRIORITY: _priority,
    BulkKind.ASSIGN: _assign,
    BulkKind.CANCEL: _cancel,
}
_REVERSALS: dict[BulkKind, Callable[[BulkAction, ReviewItem, Values, Values], None]] = {
    BulkKind.MOVE: _move_back,
    BulkKind.SEVERITY: _order_back,
    BulkKind.PRIORITY: _order_back,
    BulkKind.ASSIGN: _assign_back,
    BulkKind.CANCEL: _cancel_back,
}
