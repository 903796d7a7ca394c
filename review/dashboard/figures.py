"""Put the figures of the dashboard together: for the project, and for each queue."""

from __future__ import annotations

import datetime as dt
import uuid
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from django.utils import timezone

from review.dashboard import queries
from review.dashboard.appeals import Appeals, read_appeals
from review.dashboard.forecast import HOURS, Forecast, forecast
from review.dashboard.intervals import Share
from review.models import Queue
from review.severity import CRITICAL, HIGH, LOW, MEDIUM, NAMES
from webapp.accounts.models import Project

HOURS_SHOWN = 12
DAY = dt.timedelta(days=1)
WEEK = dt.timedelta(days=7)
#: Rows of the table of what waits; what has no severity is counted as low.
SEVERITIES = (CRITICAL, HIGH, MEDIUM, LOW)


@dataclass(frozen=True, slots=True)
class SeverityRow:
    """How much of a severity waits, youngest first; the ages are those of `queries.AGES` and older."""

    name: str
    by_age: list[int]

    @property
    def total(self) -> int:
        return sum(self.by_age)


@dataclass(frozen=True, slots=True)
class Hour:
    """One hour that ended `ago` hours before now."""

    ago: int
    raised: int
    decided: int


@dataclass(frozen=True, slots=True)
class Section:
    """The figures of a queue, or of the whole project when `queue` is None."""

    queue: Queue | None
    severities: list[SeverityRow]
    overdue: int
    due_soon: int
    with_leads: int
    hours: list[Hour]
    forecast: Forecast
    active: queries.ActiveRow | None
    skips: list[tuple[str, int]]
    expiries: int

    @property
    def key(self) -> str:
        return self.queue.slug if self.queue else "all"

    @property
    def busiest(self) -> int:
        """How high the highest bar is."""
        return max(max(hour.raised, hour.decided) for hour in self.hours)

    @property
    def waiting(self) -> int:
        return self.forecast.waiting


@dataclass(frozen=True, slots=True)
class Dashboard:
    at: dt.datetime
    total: Section
    queues: list[Section]
    rules: list[tuple[str | None, Share]]
    agreements: list[tuple[Queue, Share]]
    appeals: Appeals


@dataclass(frozen=True, slots=True)
class _Found:
    """What the queries returned, of all queues."""

    now: dt.datetime
    waiting: list[queries.WaitingRow]
    decided: list[queries.HourRow]
    raised: list[queries.HourRow]
    active: list[queries.ActiveRow]
    skips: list[tuple[uuid.UUID, str, int]]
    expiries: dict[uuid.UUID, int]


def read_dashboard(*, project: Project) -> Dashboard:
    """Return all figures of the project as of now; eleven queries, however many queues and items there are.

    None is about a single reviewer. Throughput is of 12 hours, active time, skips and leases of 24, rules and agreement
    of 7 days, appeals of 30.
    """
    now = timezone.now()
    queues = list(Queue.objects.filter(project=project).order_by("name"))
    found = _Found(
        now=now,
        waiting=queries.waiting(project, now),
        decided=queries.decided_by_hour(project, now, HOURS_SHOWN),
        raised=queries.raised_by_hour(project, now, HOURS_SHOWN),
        active=queries.active_time(project, now - DAY),
        skips=queries.skips(project, now - DAY),
        expiries=queries.expiries([queue.id for queue in queues], now - DAY),
    )
    shares = {queue: Share(agreed, items) for queue, items, agreed in queries.agreements(project, now - WEEK)}
    return Dashboard(
        at=now,
        total=_section(found, None),
        queues=[_section(found, queue) for queue in queues],
        rules=[(row.rule, Share(row.overturned, row.decided)) for row in queries.overturned(project, now - WEEK)],
        appeals=read_appeals(project, now),
        agreements=[(queue, shares[queue.id]) for queue in queues if queue.id in shares],
    )


def _section(found: _Found, queue: Queue | None) -> Section:
    def ours(key: uuid.UUID) -> bool:
        return queue is None or key == queue.id

    rows = [row for row in found.waiting if ours(row.queue)]
    decided = _hours(row for row in found.decided if ours(row.queue))
    raised = _hours(row for row in found.raised if ours(row.queue))
    overdue, due_soon = sum(row.overdue for row in rows), sum(row.due_soon for row in rows)
    reasons: Counter[str] = Counter()
    for key, reason, number in found.skips:
        reasons[reason] += number if ours(key) else 0
    return Section(
        queue=queue,
        severities=_severities(rows),
        overdue=overdue,
        due_soon=due_soon,
        with_leads=sum(row.with_leads for row in rows),
        hours=[Hour(ago, raised[ago], decided[ago]) for ago in reversed(range(HOURS_SHOWN))],
        forecast=forecast(
            waiting=sum(row.waiting for row in rows),
            overdue=overdue,
            due_soon=due_soon,
            decided=sum(decided[ago] for ago in range(HOURS)),
            raised=sum(raised[ago] for ago in range(HOURS)),
            hours=HOURS,
            now=found.now,
        ),
        active=next((row for row in found.active if row.queue == (queue and queue.id)), None),
        skips=[(reason, number) for reason, number in reasons.most_common() if number],
        expiries=sum(number for key, number in found.expiries.items() if ours(key)),
    )


def _hours(rows: Iterable[queries.HourRow]) -> Counter[int]:
    counted: Counter[int] = Counter()
    for row in rows:
        counted[row.ago] += row.number
    return counted


def _severities(rows: list[queries.WaitingRow]) -> list[SeverityRow]:
    counted: Counter[tuple[int, int]] = Counter()
    for row in rows:
        counted[max(row.severity, LOW), row.age] += row.waiting
    ages = range(len(queries.AGES) + 1)
    return [SeverityRow(NAMES[severity], [counted[severity, age] for age in ages]) for severity in SEVERITIES]
