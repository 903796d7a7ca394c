"""Read the ledger: one's own, or that of all reviewers of a project together."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from django.db.models import Count, Q, QuerySet, Sum
from django.utils import timezone

from review.models import Assignment, ExposureEntry
from review.models.items import SlotState
from review.severity import CRITICAL, HIGH
from webapp.accounts.models import Project, User

DAYS = 7
#: Of fewer people a sum would tell of each.
FEWEST = 3


@dataclass(frozen=True, slots=True)
class Day:
    """Minutes of one day; `weighted` is None where too few people are behind it for a lead to see."""

    date: dt.date
    people: int
    at_work: int
    severe: int
    weighted: int | None


def own_exposure(*, user: User) -> list[Day]:
    """Return a person's last days, in all projects, newest first."""
    return _days(ExposureEntry.objects.filter(reviewer=user))


def exposure_of_all(*, project: Project) -> list[Day]:
    """Return the project's last days, newest first, with nothing that tells of single people."""
    days = _days(ExposureEntry.objects.filter(project=project))
    return [
        day if day.people >= FEWEST else Day(day.date, day.people, at_work=0, severe=0, weighted=None) for day in days
    ]


def _days(entries: QuerySet[ExposureEntry]) -> list[Day]:
    today = timezone.now().replace(hour=0, minute=0, second=0, microsecond=0)
    rows = (
        entries.filter(created_at__gte=today - dt.timedelta(days=DAYS - 1))
        .values("created_at__date")
        .annotate(
            people=Count("reviewer", distinct=True),
            at_work=Sum("active_seconds"),
            severe=Sum("seen_seconds", filter=Q(severity__in=(HIGH, CRITICAL)), default=0.0),
            weighted=Sum("weighted_seconds"),
        )
        .order_by("-created_at__date")
    )
    return [
        Day(
            date=row["created_at__date"],
            people=row["people"],
            at_work=round(row["at_work"] / 60),
            severe=round(row["severe"] / 60),
            weighted=round(row["weighted"] / 60),
        )
        for row in rows
    ]


def in_hand(*, project: Project, user: User) -> QuerySet[Assignment]:
    """Return what a person still has on their screen or holds, which they can finish at any time."""
    mine = Assignment.objects.filter(queue__project=project, lease_owner=user)
    live = Q(state=SlotState.LEASED, shown_at__isnull=False, lease_expires_at__gt=timezone.now())
    return mine.filter(live | Q(state=SlotState.HELD)).select_related("item", "queue").order_by("sla_due_at")
