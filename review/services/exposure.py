"""Keep the ledger of what reviewers see, and let them rest in time."""

from __future__ import annotations

import datetime as dt

from django.db import transaction
from django.utils import timezone

from review import severity
from review.models import Assignment, Break, ExposureEntry, WellnessSettings
from review.rest import worked_seconds
from review.wellness import wellness_of
from webapp.accounts.models import Membership

#: What a second before an item of each severity counts.
WEIGHTS = {severity.NONE: 0.0, severity.LOW: 0.25, severity.MEDIUM: 0.5, severity.HIGH: 1.0, severity.CRITICAL: 2.0}


@transaction.atomic
def record_exposure(*, slot: Assignment, membership: Membership, active_ms: int | None, seen_ms: int | None) -> None:
    """Note for how long the member had a slot's item before them; the break that follows begins now.

    What the page counted is taken up to the time since the item came on screen. A page without scripts counts nothing:
    then that time holds, up to a lease's length.
    """
    now = timezone.now()
    since = slot.shown_at or slot.opened_at
    longest = (now - since).total_seconds() if since else 0.0
    counted = active_ms / 1000 if active_ms is not None else min(longest, slot.queue.lease_seconds)
    active = min(counted, longest)
    seen = active if seen_ms is None else min(seen_ms / 1000, active)
    settings = wellness_of(membership.project)
    if settings.break_after_minutes:
        _note_rest(membership, settings, began=now - dt.timedelta(seconds=active))
    item = slot.item
    ExposureEntry.objects.create(
        project_id=item.project_id,
        reviewer_id=membership.user_id,
        item=item,
        severity=item.severity,
        active_seconds=active,
        seen_seconds=seen,
        weighted_seconds=seen * WEIGHTS[item.severity],
    )
    after = 60 * settings.break_after_minutes
    if after and worked_seconds(membership.user) >= after:
        ends_at = now + dt.timedelta(minutes=settings.break_minutes)
        Break.objects.create(reviewer_id=membership.user_id, started_at=now, ends_at=ends_at)


def _note_rest(membership: Membership, settings: WellnessSettings, *, began: dt.datetime) -> None:
    """A reviewer who was away for a break's length before `began` had their break already."""
    length = dt.timedelta(minutes=settings.break_minutes)
    last = ExposureEntry.objects.filter(reviewer=membership.user_id).order_by("-created_at").first()
    if last is not None and began - last.created_at >= length:
        Break.objects.get_or_create(reviewer_id=membership.user_id, started_at=last.created_at, ends_at=began)
