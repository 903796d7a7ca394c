"""Put checks in front of people."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any

from django.db import IntegrityError, transaction
from django.utils import timezone

from review.draws import BLIND, GOLDEN, OVERLAP, QA, is_drawn
from review.imported import DOOR
from review.models import Assignment, ItemTrigger, LabelSchema, LabelSchemaVersion, Queue, ReviewItem
from review.models.items import OPEN_STATES, SlotRole, SlotState
from review.routing import active_rules, facts_of, first_met
from review.search import remember_words
from review.severity import risk_of, severity_of
from screening.categories import MODERATION_CATEGORIES
from webapp.accounts.models import Project
from webapp.accounts.services import SYSTEM
from webapp.audit.log import EventObject, record_event
from webapp.interception.models import Check, Finding

DEFAULT_QUEUE = "default"
#: A random sample comes unprioritised, so that it stays a sample of everything.
SAMPLED = "sampled"
#: Somebody contests what the machine decided alone: one person decides that, who is asked for nothing else.
APPEALED = "appeal"
#: A rule finished after the verdict.
LATE = "late"
_SNIPPETS = ["False alarm: the finding is not there.", "Quoted or reported, not said by the assistant."]


@transaction.atomic
def ensure_default_queue(*, project: Project) -> Queue:
    """Return the project's queue "default"; the first call makes it and its label schema."""
    queue = Queue.objects.filter(project=project, slug=DEFAULT_QUEUE).first()
    if queue is not None:
        return queue
    schema = ensure_default_schema(project=project)
    queue, _ = Queue.objects.get_or_create(
        project=project, slug=DEFAULT_QUEUE, defaults={"name": "All outputs", "label_schema": schema}
    )
    return queue


@transaction.atomic
def ensure_default_schema(*, project: Project) -> LabelSchemaVersion:
    """Return version 1 of the project's label schema "default"; the first call makes it, with all categories."""
    schema, _ = LabelSchema.objects.get_or_create(project=project, name=DEFAULT_QUEUE)
    version, _ = LabelSchemaVersion.objects.get_or_create(
        schema=schema,
        version=1,
        defaults={"definition": {"categories": list(MODERATION_CATEGORIES), "rationale_snippets": _SNIPPETS}},
    )
    return version


@transaction.atomic
def raise_item(*, check: Check, kind: str, inclusion_prob: float = 1.0, queue: Queue | None = None) -> ReviewItem:
    """Return the open item of `check`, with this trigger added; `queue` defaults to what the routing rules say.

    A second reason for the same check is one more trigger on the open item, wherever it is, never a second item; it
    can raise the item's severity and priority, never lower them.
    """
    findings = list(check.findings.all())
    item = _open_item(check, queue)
    queue = item.queue if item else queue or _route(check, findings, kind)
    severity = severity_of(findings, verdict=check.verdict)
    priority = 0.0 if kind == SAMPLED else severity * risk_of(findings, check)
    if item is None:
        try:
            with transaction.atomic():
                return _new_item(check, queue, kind, inclusion_prob, severity=severity, priority=priority)
        except IntegrityError:
            # Another transaction raised it since we looked, and perhaps it is decided by now.
            return raise_item(check=check, kind=kind, inclusion_prob=inclusion_prob, queue=queue)
    _append_trigger(item, kind, inclusion_prob, severity=severity, priority=priority)
    return item


def _open_item(check: Check, queue: Queue | None) -> ReviewItem | None:
    items = ReviewItem.objects.real().select_for_update(no_key=True).order_by("created_at", "id")
    where = {} if queue is None else {"queue": queue}
    return items.filter(checked=check, state__in=OPEN_STATES, **where).first()


def _route(check: Check, findings: list[Finding], kind: str) -> Queue:
    """Return the queue of the first rule that matches; without rules, the project's queue "default"."""
    facts = facts_of(check, findings, trigger=kind)
    rules = active_rules(check.project)
    number = first_met(rules, facts)
    return ensure_default_queue(project=check.project) if number is None else rules[number].queue


def _new_item(
    check: Check, queue: Queue, kind: str, inclusion_prob: float, *, severity: int, priority: float
) -> ReviewItem:
    item = ReviewItem(
        project=check.project,
        checked=check,
        queue=queue,
        severity=severity,
        priority=priority,
        sla_due_at=timezone.now() + dt.timedelta(seconds=queue.sla_seconds),
    )
    if kind != APPEALED:
        draw_samples(item, queue)
    item.save(force_insert=True)
    ItemTrigger.objects.create(item=item, kind=kind, inclusion_prob=inclusion_prob)
    remember_words(check)
    open_slots(item, [SlotRole.APPEAL] if kind == APPEALED else None)
    record_event(
        type="review.item.created",
        project_id=check.project_id,
        actor=SYSTEM,
        object=EventObject("review_item", item.id),
        reason_codes=[f"trigger:{kind}", f"severity:{severity}"],
        cause=[check.public_id],
    )
    if kind != APPEALED and is_drawn(item.id, GOLDEN, queue.golden_rate):
        from review.services.probes import raise_probe  # a probe is made by the steps above

        raise_probe(queue=queue, beside=item)
    return item


def open_slots(item: ReviewItem, roles: Sequence[SlotRole] | None = None) -> None:
    """Give a new item its slots: of `roles`, or as many as its queue and its draw want."""
    for number, role in enumerate(roles or _roles_of(item), start=1):
        add_slot(item, number, role)


def draw_samples(item: ReviewItem, queue: Queue) -> None:
    """Decide what the item is a sample for. The draws do not depend on each other, nor on what was found."""
    item.blind, item.blind_prob = is_drawn(item.id, BLIND, queue.blind_rate), queue.blind_rate
    item.overlap, item.overlap_prob = is_drawn(item.id, OVERLAP, queue.overlap_rate), queue.overlap_rate
    item.qa, item.qa_prob = is_drawn(item.id, QA, queue.qa_rate), queue.qa_rate


def _roles_of(item: ReviewItem) -> list[SlotRole]:
    """Return the roles of the slots that an item begins with."""
    return [SlotRole.PRIMARY, *[SlotRole.OVERLAP] * (item.queue.required_reviews + item.overlap - 1)]


def add_slot(item: ReviewItem, number: int, role: SlotRole, *, extra: bool = False) -> Assignment:
    return Assignment.objects.create(
        item=item,
        slot_no=number,
        role=role,
        queue=item.queue,
        priority=item.priority,
        sla_due_at=item.sla_due_at,
        extra=extra,
    )


def _append_trigger(item: ReviewItem, kind: str, inclusion_prob: float, *, severity: int, priority: float) -> None:
    ItemTrigger.objects.create(item=item, kind=kind, inclusion_prob=inclusion_prob)
    item.severity = max(item.severity, severity)
    item.priority = max(item.priority, priority)
    item.version += 1
    item.save(update_fields=["severity", "priority", "version"])
    waiting = (SlotState.OPEN, SlotState.LEASED, SlotState.HELD)
    item.assignments.filter(state__in=waiting).exclude(role=SlotRole.ADJUDICATOR).update(priority=item.priority)


def on_check_flagged(sender: object, *, check: Check, kind: str, inclusion_prob: float = 1.0, **_: Any) -> None:
    """Receive `webapp.interception.signals.check_flagged`, in the transaction that stores the check."""
    if check.door == DOOR and kind != LATE:
        return  # an import puts all of its checks before people, in the queue that it names, in this transaction too
    raise_item(check=check, kind=kind, inclusion_prob=inclusion_prob)
