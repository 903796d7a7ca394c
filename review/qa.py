"""What leads read of quality assurance, and what a reviewer reads of their own."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.db.models import Count, Exists, OuterRef, Q, QuerySet
from django.utils import timezone

from review.dashboard.intervals import Share
from review.models import Annotation, Assignment, QAReview, Queue
from review.models.items import SlotRole, SlotState
from review.models.qa import ErrorSeverity
from webapp.accounts.models import Project, User

#: How far figures look back.
DAYS = 90


@dataclass(frozen=True, slots=True)
class Errors:
    """Decisions that were looked at: those with an error, and of these the major ones."""

    all: Share
    major: Share


@dataclass(frozen=True, slots=True)
class QueueErrors:
    queue: Queue
    waiting: int
    errors: Errors


def errors_by_queue(project: Project) -> list[QueueErrors]:
    """Return the queues that have decisions to look at, or had in DAYS; the share is of a random sample."""
    open_slots = Assignment.objects.filter(
        role=SlotRole.QA, state__in=(SlotState.OPEN, SlotState.LEASED), queue__project=project
    )
    waiting = dict(open_slots.values_list("queue").annotate(Count("id")).order_by())
    counted = {row["item__queue"]: row for row in _counted(_lately(project), by="item__queue")}
    queues = Queue.objects.filter(project=project).order_by("name")
    return [
        QueueErrors(queue, waiting.get(queue.id, 0), _errors(counted.get(queue.id, {})))
        for queue in queues
        if queue.qa_rate or queue.id in waiting or queue.id in counted
    ]


def errors_of(*, project: Project, user: User) -> Errors:
    """Return the errors in decisions that came out as `user` had answered; for them and the leads alone."""
    theirs = Annotation.objects.filter(
        item=OuterRef("item"),
        cycle=OuterRef("decision__cycle"),
        outcome=OuterRef("decision__outcome"),
        reviewer=user,
        counts=True,
        precedent=None,
    )
    return _errors(_lately(project).filter(Exists(theirs)).aggregate(**_COUNTS))


def corrections_of(*, project: Project, user: User, limit: int = 20) -> QuerySet[QAReview]:
    """Return the newest errors found in what `user` decided, to learn from."""
    theirs = Annotation.objects.filter(
        item=OuterRef("item"), cycle=OuterRef("decision__cycle"), outcome=OuterRef("decision__outcome"), reviewer=user
    )
    found = _lately(project).filter(Exists(theirs.filter(counts=True)), agrees=False)
    return found.select_related("item", "decision").order_by("-created_at")[:limit]


_COUNTS = {
    "looked_at": Count("id"),
    "wrong": Count("id", filter=Q(agrees=False)),
    "major": Count("id", filter=Q(severity=ErrorSeverity.MAJOR)),
}


def _lately(project: Project) -> QuerySet[QAReview]:
    lately = QAReview.objects.filter(undone_at=None, item__project=project)
    return lately.filter(created_at__gte=timezone.now() - dt.timedelta(days=DAYS))


def _counted(reviews: QuerySet[QAReview], *, by: str) -> list[dict[str, Any]]:
    return [{**row} for row in reviews.values(by).annotate(**_COUNTS).order_by()]


def _errors(row: Mapping[str, Any]) -> Errors:
    whole = row.get("looked_at", 0)
    return Errors(Share(row.get("wrong", 0), whole), Share(row.get("major", 0), whole))


def qa_slot(*, project: Project, user: User, slot_id: uuid.UUID) -> Assignment | None:
    """Return a QA slot that `user` has, or that ran out and nobody took since, or that they answered."""
    slots = Assignment.objects.filter(role=SlotRole.QA, item__project=project, lease_owner=user)
    return slots.filter(id=slot_id).exclude(state=SlotState.VOID).first()
