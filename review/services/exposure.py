"""Keep the ledger of what reviewers see, and let them rest in time."""

from __future__ import annotations

import datetime as dt
import uuid
from dataclasses import dataclass
from typing import Any

from django.db import connection, transaction
from django.utils import timezone

from review import severity
from review.models import Assignment, Break, ExposureEntry, WellnessSettings
from review.rest import worked_seconds
from review.wellness import wellness_of
from webapp.accounts.models import Membership

#: What a second before an item of each severity counts.
WEIGHTS = {severity.NONE: 0.0, severity.LOW: 0.25, severity.MEDIUM: 0.5, severity.HIGH: 1.0, severity.CRITICAL: 2.0}
#: What a text counts at least, in seconds, once it was shown: a glance at it is enough to have read the worst.
GLANCE = 5.0

# One statement each: pages and answers wait for them.
_ENTRY = """
    INSERT INTO review_exposureentry AS entry
        (project_id, reviewer_id, item_id, lease, severity, active_seconds, seen_seconds, weighted_seconds,
         created_at, counted_at)
    SELECT %(project)s, %(reviewer)s, %(item)s, %(lease)s, %(severity)s, %(active)s, %(seen)s, %(weighted)s,
           %(now)s, %(now)s
"""
_GROW = f"""{_ENTRY}
    ON CONFLICT (reviewer_id, item_id, lease) DO UPDATE SET
        severity = GREATEST(entry.severity, EXCLUDED.severity),
        active_seconds = GREATEST(entry.active_seconds, EXCLUDED.active_seconds),
        seen_seconds = GREATEST(entry.seen_seconds, EXCLUDED.seen_seconds),
        weighted_seconds = GREATEST(entry.weighted_seconds, EXCLUDED.weighted_seconds),
        counted_at = EXCLUDED.counted_at
"""
_ONCE = f"""{_ENTRY}
    WHERE NOT EXISTS (
        SELECT 1 FROM review_exposureentry other
        WHERE other.reviewer_id = %(reviewer)s AND other.item_id = %(item)s)
    ON CONFLICT DO NOTHING
"""  # noqa: S608  # no part of it comes from outside


@dataclass(frozen=True, slots=True)
class Effort:
    """Milliseconds at work on an item, and of these with its texts uncovered; None where no script counted.

    `gravest` is how severe the texts beside it on the page are at most.
    """

    active_ms: int | None
    seen_ms: int | None
    gravest: int = severity.NONE


def note_shown(*, slot: Assignment, membership: Membership, lease: uuid.UUID, gravest: int = severity.NONE) -> None:
    """Count that the texts of a slot's item are before the member now, whatever becomes of it; once an item."""
    if WEIGHTS[max(slot.item.severity, gravest)]:
        _count(_ONCE, slot, membership, lease, active=0.0, seen=GLANCE, gravest=gravest)


@transaction.atomic
def record_exposure(
    *, slot: Assignment, membership: Membership, lease: uuid.UUID, effort: Effort, ends: bool = True
) -> None:
    """Note for how long the member has had a slot's item before them; when that `ends`, a break that is due begins.

    Called again for the same lease, it counts what is more. What the page counted is taken up to the time since the
    item came on screen. A page without scripts counts nothing: then that time holds, up to a lease's length.
    """
    now = timezone.now()
    since = slot.shown_at or slot.opened_at
    longest = (now - since).total_seconds() if since else 0.0
    counted = effort.active_ms / 1000 if effort.active_ms is not None else min(longest, slot.queue.lease_seconds)
    active = min(counted, longest)
    seen = active if effort.seen_ms is None else min(effort.seen_ms / 1000, active)
    settings = wellness_of(membership.project)
    if settings.break_after_minutes:
        _note_rest(membership, settings, began=now - dt.timedelta(seconds=active))
    _count(_GROW, slot, membership, lease, active=active, seen=seen, gravest=effort.gravest)
    if not ends:
        return
    after = 60 * settings.break_after_minutes
    if after and worked_seconds(membership.user) >= after:
        ends_at = now + dt.timedelta(minutes=settings.break_minutes)
        Break.objects.create(reviewer_id=membership.user_id, started_at=now, ends_at=ends_at)


def _count(
    statement: str,
    slot: Assignment,
    membership: Membership,
    lease: uuid.UUID,
    *,
    active: float,
    seen: float,
    gravest: int,
) -> None:
    """Count these seconds under a lease, or more where more was counted before."""
    item = slot.item
    counted_as = max(item.severity, gravest)
    parameters: dict[str, Any] = {
        "project": item.project_id,
        "reviewer": membership.user_id,
        "item": item.id,
        "lease": lease,
        "severity": counted_as,
        "active": active,
        "seen": seen,
        "weighted": seen * WEIGHTS[counted_as],
        "now": timezone.now(),
    }
    with connection.cursor() as cursor:
        cursor.execute(statement, parameters)


def _note_rest(membership: Membership, settings: WellnessSettings, *, began: dt.datetime) -> None:
    """A reviewer who was away for a break's length before `began` had their break already."""
    length = dt.timedelta(minutes=settings.break_minutes)
    worked = ExposureEntry.objects.filter(reviewer=membership.user_id, active_seconds__gt=0)
    last = worked.order_by("-counted_at").first()
    if last is not None and began - last.counted_at >= length:
        Break.objects.get_or_create(reviewer_id=membership.user_id, started_at=last.counted_at, ends_at=began)
