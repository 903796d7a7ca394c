"""Make and change queues, as leads do."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import F, Q
from django.utils.translation import gettext

from review.errors import SettingsChanged, SettingsTaken
from review.models import Assignment, Queue, ReviewItem
from review.models.items import OPEN_STATES, SlotState
from review.services.raising import ensure_default_schema
from webapp.accounts.models import Membership, Project
from webapp.accounts.services import user_actor
from webapp.audit.log import EventObject, record_event

#: What `change_queue` may change. The slug stays: it is part of addresses that reviewers have open.
QUEUE_SETTINGS = (
    "name",
    "label_schema",
    "required_reviews",
    "max_reviews",
    "consensus_threshold",
    "lease_seconds",
    "prefetch_lease_seconds",
    "sla_seconds",
    "undo_seconds",
    "blind_rate",
    "overlap_rate",
    "golden_rate",
    "golden_pass_mark",
    "golden_window",
    "reason_for",
    "qa_rate",
    "skip_reasons",
    "skills",
    "precedents",
    "paused",
)
RATES = ("blind_rate", "overlap_rate", "golden_rate", "golden_pass_mark", "qa_rate")


@transaction.atomic
def create_queue(*, project: Project, slug: str, settings: Mapping[str, Any], membership: Membership) -> Queue:
    """Make a queue with `settings` (QUEUE_SETTINGS); without a label schema it gets the default one.

    Raises SettingsTaken.
    """
    values = dict(settings)
    values["label_schema"] = values.get("label_schema") or ensure_default_schema(project=project)
    try:
        with transaction.atomic():
            queue = Queue.objects.create(project=project, slug=slug, **values)
    except IntegrityError:
        raise SettingsTaken(gettext("This project has a queue with that slug. Choose another one.")) from None
    _record("review.queue.created", queue, membership, [], _figures(queue))
    return queue


@transaction.atomic
def change_queue(*, queue: Queue, version: int, settings: Mapping[str, Any], membership: Membership) -> list[str]:
    """Set what differs in `settings` (QUEUE_SETTINGS) and return its names.

    `version` is that of the queue as the lead saw it; raises SettingsChanged when it has grown since.
    """
    # no_key: whoever raises or answers an item at this moment refers to the queue and need not wait.
    current = Queue.objects.select_for_update(no_key=True, of=("self",)).select_related("label_schema").get(pk=queue.pk)
    if current.version != version:
        raise SettingsChanged(gettext("Another lead changed this queue while you had it open."))
    changed = sorted(name for name in settings if name in QUEUE_SETTINGS and getattr(current, name) != settings[name])
    if not changed:
        return []
    before = _figures(current)
    for name in changed:
        setattr(current, name, settings[name])
    current.version += 1
    current.save(update_fields=[*changed, "version"])
    if "label_schema" in changed:
        _show_again(current)
    after = _figures(current)
    differing = {name: figure for name, figure in after.items() if figure != before[name]}
    were = {f"{name}_was": before[name] for name in differing}
    _record("review.queue.changed", current, membership, changed, differing | were)
    return changed


def _show_again(queue: Queue) -> None:
    """Let whoever works on an item see the new choices before the answer counts."""
    at_work = Q(state__in=(SlotState.LEASED, SlotState.HELD)) | Q(state=SlotState.OPEN, lease_token__isnull=False)
    items = queue.items.filter(
        state__in=OPEN_STATES, id__in=Assignment.objects.filter(at_work, queue=queue).values("item")
    )
    ordered = items.order_by("id").select_for_update(no_key=True).values_list("id", flat=True)
    ReviewItem.objects.filter(id__in=list(ordered)).update(version=F("version") + 1)


def _figures(queue: Queue) -> dict[str, int]:
    """Return the settings that are numbers; the audit log takes whole ones only."""
    return {
        "label_schema_version": queue.label_schema.version,
        "required_reviews": queue.required_reviews,
        "max_reviews": queue.max_reviews,
        "consensus_threshold_permille": round(queue.consensus_threshold * 1000),
        "lease_seconds": queue.lease_seconds,
        "prefetch_lease_seconds": queue.prefetch_lease_seconds,
        "sla_seconds": queue.sla_seconds,
        "undo_seconds": queue.undo_seconds,
        **{f"{name}_permille": round(getattr(queue, name) * 1000) for name in RATES},
        "golden_window": queue.golden_window,
        "reason_for": len(queue.reason_for),
        "skip_reasons": len(queue.skip_reasons),
        "skills": len(queue.skills),
        "paused": int(queue.paused),
    }


def _record(type: str, queue: Queue, membership: Membership, changed: list[str], counts: dict[str, int]) -> None:
    record_event(
        type=type,
        project_id=queue.project_id,
        actor=user_actor(membership.user, membership.role),
        object=EventObject("queue", queue.id, rev=str(queue.version)),
        reason_codes=[f"field:{name}" for name in changed],
        counts=counts,
    )
