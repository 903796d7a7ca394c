"""What the pages of review read; every query is of one project."""

from __future__ import annotations

import datetime as dt
import uuid
from dataclasses import dataclass
from typing import Any

from django.db.models import Count, Min, OuterRef, Prefetch, Q, QuerySet, Subquery
from django.http import Http404
from django.utils import timezone

from review.models import (
    Annotation,
    Appeal,
    Assignment,
    Decision,
    LabelSchema,
    LabelSchemaVersion,
    Queue,
    ReviewItem,
)
from review.models.items import OPEN_STATES, ItemState, SlotRole, SlotState
from review.severity import CRITICAL, HIGH, LOW, MEDIUM, NONE
from webapp.accounts.models import Project, Role, User
from webapp.ids import parse_public_id

#: How far the console counts what waits: it asks with every item.
COUNTED = 5000
_COLUMN = {NONE: "low", LOW: "low", MEDIUM: "medium", HIGH: "high", CRITICAL: "critical"}


@dataclass(frozen=True, slots=True)
class QueueRow:
    """A queue with how many items wait in it, by severity, overdue, with leads; and how many the member holds.

    `blind`: how many are not counted by severity, since they are answered before the machine is seen.
    """

    queue: Queue
    waiting: int = 0
    critical: int = 0
    high: int = 0
    medium: int = 0
    low: int = 0
    blind: int = 0
    overdue: int = 0
    with_leads: int = 0
    oldest: dt.datetime | None = None
    mine: int = 0


def queue_overview(*, project: Project, user: User, probes: bool = False, blind_apart: bool = False) -> list[QueueRow]:
    """Return a row for each queue of the project, by name; a few queries, however many queues there are.

    With `probes`, those of golden items are counted too: to reviewers they look like any other item. With
    `blind_apart`, what somebody may still answer blind is not counted by severity: where little waits, that would tell.
    """
    now = timezone.now()
    held = Assignment.objects.filter(
        queue__project=project, lease_owner=user, state=SlotState.LEASED, lease_expires_at__gt=now
    )
    mine = dict(held.values_list("queue").annotate(Count("id")))
    waiting = {row.pop("queue"): row for row in _waiting_by_queue(ReviewItem.objects.real(), project, now)}
    if probes:
        for row in _waiting_by_queue(ReviewItem.objects.filter(golden__isnull=False), project, now):
            key = row.pop("queue")
            waiting[key] = _together(waiting[key], row) if key in waiting else row
    if blind_apart:
        for queue_id, severity, number in _blind_by_severity(project, probes=probes):
            row = waiting.setdefault(queue_id, {})  # what came in since the others were counted is not in them
            told = min(number, row.get(_COLUMN[severity], 0))
            row[_COLUMN[severity]] = row.get(_COLUMN[severity], 0) - told
            row["blind"] = row.get("blind", 0) + told
    return [
        QueueRow(queue=queue, mine=mine.get(queue.id, 0), **waiting.get(queue.id, {}))
        for queue in Queue.objects.filter(project=project).order_by("name")
    ]


def _blind_by_severity(project: Project, *, probes: bool) -> list[tuple[uuid.UUID, int, int]]:
    # Apart from the other counts, which read an index of their own and no row.
    items = ReviewItem.objects.all() if probes else ReviewItem.objects.real()
    blind = items.filter(project=project, state__in=OPEN_STATES, blind=True, cycle=1)
    return list(blind.values_list("queue", "severity").annotate(Count("id")).order_by())


def _together(one: dict[str, Any], other: dict[str, Any]) -> dict[str, Any]:
    return {name: min(one[name], n) if name == "oldest" else one[name] + n for name, n in other.items()}


def _waiting_by_queue(items: QuerySet[ReviewItem], project: Project, now: dt.datetime) -> list[dict[str, Any]]:
    with_leads = Q(state__in=(ItemState.ADJUDICATION, ItemState.ESCALATED))
    rows = (
        items.filter(project=project, state__in=OPEN_STATES)
        .values("queue")
        .annotate(
            waiting=Count("id"),
            critical=Count("id", filter=Q(severity=CRITICAL)),
            high=Count("id", filter=Q(severity=HIGH)),
            medium=Count("id", filter=Q(severity=MEDIUM)),
            low=Count("id", filter=Q(severity__lte=LOW)),
            overdue=Count("id", filter=Q(sla_due_at__lt=now)),
            with_leads=Count("id", filter=with_leads),
            oldest=Min("created_at"),
        )
    )
    return [{**row} for row in rows]


def get_queue(*, project: Project, slug: str) -> Queue:
    """Return a queue of the project; raise Http404 when there is none."""
    queue = Queue.objects.select_related("project", "label_schema__schema").filter(project=project, slug=slug).first()
    if queue is None:
        raise Http404("No such queue.")
    return queue


def schema_versions(*, project: Project) -> QuerySet[LabelSchemaVersion]:
    """Return the versions of the project's label schemas, by name, newest first."""
    versions = LabelSchemaVersion.objects.filter(schema__project=project).select_related("schema")
    return versions.order_by("schema__name", "-version")


def get_schema(*, project: Project, name: str) -> LabelSchema:
    """Return a label schema of the project; raise Http404 when there is none."""
    schema = LabelSchema.objects.filter(project=project, name=name).first()
    if schema is None:
        raise Http404("No such label schema.")
    return schema


def newest_version(*, schema: LabelSchema) -> LabelSchemaVersion:
    return schema.versions.select_related("schema").latest("version")


def get_item(*, project: Project, public_id: str) -> ReviewItem:
    """Return an item of the project with its check, content and queue; raise Http404 when there is none."""
    key = parse_public_id("rvw", public_id)
    item = _items().filter(project=project, id=key).first() if key else None
    if item is None:
        raise Http404("No such item.")
    return item


def get_slot(*, project: Project, slot_id: uuid.UUID) -> Assignment:
    """Return a slot of an item of the project; raise Http404 when there is none."""
    slots = Assignment.objects.exclude(role=SlotRole.QA).select_related("queue", "item__checked")
    slot = slots.filter(item__project=project, id=slot_id).first()
    if slot is None:
        raise Http404("No such slot.")
    return slot


def get_items(*, ids: list[uuid.UUID]) -> dict[uuid.UUID, ReviewItem]:
    return _items().in_bulk(ids)


def _items() -> QuerySet[ReviewItem]:
    return ReviewItem.objects.select_related(
        "project",
        "queue__label_schema__schema",
        "checked__content",
        "checked__compared_with__content",
        "checked__application",
        "checked__policy_version__policy",
    ).prefetch_related("checked__findings", "triggers", "reopenings", Prefetch("appeals", _appeals()))


def _appeals() -> QuerySet[Appeal]:
    return Appeal.objects.select_related("text", "contested", "decision").order_by("cycle")


def nobody_left(*, item: ReviewItem) -> bool:
    """Whether an open appeal waits for somebody who is not there: everybody in the project answered before."""
    if item.state not in OPEN_STATES or not any(appeal.cycle == item.cycle for appeal in item.appeals.all()):
        return False
    people = item.project.memberships.filter(role__in=(Role.OWNER, Role.LEAD, Role.REVIEWER), user__is_active=True)
    return not people.exclude(user__in=item.exclusions.values("reviewer")).exists()


def own_slot(*, item: ReviewItem, user: User) -> Assignment | None:
    """Return the slot of `item` that `user` works on: leased to them, or run out and not yet taken by anyone."""
    return (
        Assignment.objects.exclude(role=SlotRole.QA)
        .select_related("queue")
        .filter(item=item, lease_owner=user, lease_token__isnull=False, state__in=(SlotState.LEASED, SlotState.OPEN))
        .first()
    )


def get_decision(*, project: Project, user: User, decision_id: uuid.UUID) -> Decision:
    """Return a decision that `user` made in the project; raise Http404 when there is none."""
    made = Decision.objects.select_related("item__queue").filter(item__project=project, decided_by=user)
    decision = made.filter(id=decision_id).first()
    if decision is None:
        raise Http404("No such decision of yours.")
    return decision


def newest_undoable(*, project: Project, user: User) -> Decision | None:
    """Return the newest decision in the project that `user` can still take back, with what they `said` of the item."""
    answers = Annotation.objects.filter(item=OuterRef("item"), cycle=OuterRef("cycle"), reviewer=user, counts=True)
    said = Subquery(answers.order_by("-created_at", "-id").values("outcome")[:1])
    found = Decision.objects.undoable(by=user, now=timezone.now()).filter(item__project=project)
    return found.annotate(said=said).first()


def decision_of(*, item: ReviewItem) -> Decision | None:
    """Return the newest decision of an item that was not taken back."""
    shown = ("decided_by", "statement_edited_by", "precedent__item", "precedent__cluster_decision")
    return item.decisions.standing().select_related(*shown).order_by("-cycle").first()


def answers_of(*, item: ReviewItem) -> QuerySet[Annotation]:
    """Return what reviewers answered and did not take back, oldest first, with corrections."""
    return (
        item.annotations.filter(undone_at=None)
        .select_related("reviewer", "correction", "assignment")
        .prefetch_related("finding_verdicts__finding", "spans")
        .order_by("created_at", "id")
    )


def recent_answers(*, project: Project, user: User, limit: int = 50) -> QuerySet[Annotation]:
    """Return the newest answers that `user` gave in the project."""
    return (
        Annotation.objects.filter(reviewer=user, item__project=project, precedent=None)
        .select_related("item__queue", "item__checked")
        .prefetch_related(Prefetch("item__decisions", queryset=Decision.objects.standing()))
        .order_by("-created_at", "-id")[:limit]
    )


def answered_since(*, project: Project, user: User, since: dt.datetime) -> int:
    said = Annotation.objects.filter(reviewer=user, item__project=project, undone_at=None, precedent=None)
    return said.filter(created_at__gte=since).count()


def waiting_in(*, queue: Queue) -> str:
    """Return how many slots of the queue nobody works on, as the page says it; counting stops at COUNTED."""
    open_slots = (
        Assignment.objects.exclude(role=SlotRole.QA)
        .filter(queue=queue, assignee=None, state__in=(SlotState.OPEN, SlotState.LEASED))
        .filter(Q(state=SlotState.OPEN) | Q(lease_expires_at__lte=timezone.now()))
    )
    number = open_slots.order_by()[:COUNTED].count()
    return f"{number}+" if number == COUNTED else str(number)
