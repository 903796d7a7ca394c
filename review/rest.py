"""When a reviewer gets no new items: during a break, and once the day's exposure is reached."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from django.db.models import Sum
from django.utils import timezone

from review.models import Break, ExposureEntry, WellnessSettings
from review.wellness import wellness_of
from webapp.accounts.models import Membership, Role, User

#: Who works in a project.
WORKING = (Role.OWNER, Role.LEAD, Role.REVIEWER)


@dataclass(frozen=True, slots=True)
class Rest:
    """No new items until then. `is_cap`: for the rest of the day, which ends at midnight UTC."""

    until: dt.datetime
    is_cap: bool = False

    @property
    def seconds(self) -> float:
        return max(0.0, (self.until - timezone.now()).total_seconds())


@dataclass(frozen=True, slots=True)
class Meter:
    """Minutes: weighted exposure of today and its cap, at work since the last break, and after how many one is due."""

    exposed: int
    cap: int
    worked: int
    break_after: int

    @property
    def to_break(self) -> int:
        return max(0, self.break_after - self.worked)


def due_rest(*, membership: Membership, now: dt.datetime) -> Rest | None:
    """Return the rest that is due for a member at `now`, if any. What they do in all projects counts.

    The cap is the strictest of these projects, and holds in all of them.
    """
    settings = wellness_of(membership.project)
    pause = Break.objects.filter(reviewer=membership.user_id).order_by("-ends_at").first()
    if settings.break_after_minutes and pause is not None and pause.ends_at > now:
        return Rest(pause.ends_at)
    cap = cap_of(membership.user)
    if cap and exposed_seconds(membership.user, now=now) >= 60 * cap:
        return Rest(_midnight(now) + dt.timedelta(days=1), is_cap=True)
    return None


def meter_of(*, membership: Membership, now: dt.datetime) -> Meter:
    settings = wellness_of(membership.project)
    return Meter(
        exposed=round(exposed_seconds(membership.user, now=now) / 60),
        cap=cap_of(membership.user),
        worked=round(worked_seconds(membership.user) / 60),
        break_after=settings.break_after_minutes,
    )


def cap_of(user: User) -> int:
    """Return a person's most weighted minutes a day: the least that any of the projects has that they work in."""
    unset = WellnessSettings._meta.get_field("cap_minutes").default
    working = user.memberships.filter(role__in=WORKING)
    caps: list[int | None] = list(working.values_list("project__wellness__cap_minutes", flat=True))
    return min((cap for cap in (unset if cap is None else cap for cap in caps) if cap), default=0)


def exposed_seconds(user: User, *, now: dt.datetime) -> float:
    """Return today's weighted exposure of a person, in all projects."""
    entries = ExposureEntry.objects.filter(reviewer=user, created_at__gte=_midnight(now))
    return float(entries.aggregate(sum=Sum("weighted_seconds", default=0.0))["sum"])


def worked_seconds(user: User) -> float:
    """Return for how long a person was at work since their last break, or in a day without one."""
    pause = Break.objects.filter(reviewer=user).order_by("-ends_at").first()
    since = pause.ends_at if pause else timezone.now() - dt.timedelta(days=1)
    entries = ExposureEntry.objects.filter(reviewer=user, counted_at__gt=since)
    return float(entries.aggregate(sum=Sum("active_seconds", default=0.0))["sum"])


def _midnight(now: dt.datetime) -> dt.datetime:
    return now.astimezone(dt.UTC).replace(hour=0, minute=0, second=0, microsecond=0)
