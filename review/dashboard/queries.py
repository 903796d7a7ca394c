"""The queries behind the dashboard: each reads one index range of one project, grouped by queue.

Items decided lately are found by `item_project_decided`, and what hangs on them by their keys: no query starts from a
table that grows without end.
"""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Any, NamedTuple

from django.db import connection
from django.db.models import Count

from review.imported import DETECTOR
from review.models import Assignment, Exclusion
from review.models.items import OPEN_STATES
from review.services.escalation import SKIPPED
from webapp.accounts.models import Project

#: Upper ends of the columns of ages; what is older goes to one more.
AGES = (dt.timedelta(minutes=15), dt.timedelta(hours=1), dt.timedelta(hours=4), dt.timedelta(hours=24))


class WaitingRow(NamedTuple):
    """Open items of one queue, severity and column of ages."""

    queue: uuid.UUID
    severity: int
    age: int
    waiting: int
    overdue: int
    due_soon: int
    with_leads: int


def waiting(project: Project, now: dt.datetime) -> list[WaitingRow]:
    """Count the open items."""
    sql = """
        SELECT queue_id, severity,
               CASE WHEN created_at > %s THEN 0 WHEN created_at > %s THEN 1
                    WHEN created_at > %s THEN 2 WHEN created_at > %s THEN 3 ELSE 4 END AS age,
               count(*), count(*) FILTER (WHERE sla_due_at < %s),
               count(*) FILTER (WHERE sla_due_at >= %s AND sla_due_at < %s),
               count(*) FILTER (WHERE state IN ('adjudication', 'escalated'))
        FROM review_reviewitem WHERE project_id = %s AND state IN (%s, %s, %s, %s, %s) AND golden_id IS NULL
        GROUP BY queue_id, severity, age"""
    ends = [now - age for age in AGES]
    soon = now + dt.timedelta(hours=1)
    return [WaitingRow(*row) for row in _rows(sql, [*ends, now, now, soon, project.id, *OPEN_STATES])]


class HourRow(NamedTuple):
    """Items of one queue that something happened to, `ago` whole hours before now."""

    queue: uuid.UUID
    ago: int
    number: int


def decided_by_hour(project: Project, now: dt.datetime, hours: int) -> list[HourRow]:
    return _by_hour("decided_at", project, now, hours)


def raised_by_hour(project: Project, now: dt.datetime, hours: int) -> list[HourRow]:
    return _by_hour("created_at", project, now, hours)


def _by_hour(field: str, project: Project, now: dt.datetime, hours: int) -> list[HourRow]:
    sql = """
        SELECT queue_id, floor(extract(epoch FROM %s - happened_at) / 3600)::int AS ago, count(*)
        FROM review_reviewitem
        WHERE project_id = %s AND happened_at > %s AND happened_at <= %s AND golden_id IS NULL
        GROUP BY queue_id, ago"""
    return [
        HourRow(*row)
        for row in _rows(sql.replace("happened_at", field), [now, project.id, now - dt.timedelta(hours=hours), now])
    ]


class ActiveRow(NamedTuple):
    """Median active time of a decided item, over all its answers; `queue` None is the whole project."""

    queue: uuid.UUID | None
    milliseconds: float
    decisions: int


def active_time(project: Project, since: dt.datetime) -> list[ActiveRow]:
    sql = """
        SELECT queue_id, percentile_cont(0.5) WITHIN GROUP (ORDER BY spent), count(*)
        FROM (SELECT item.queue_id, sum(answer.active_ms) AS spent
              FROM review_reviewitem item
              JOIN review_annotation answer ON answer.item_id = item.id AND answer.cycle = item.cycle
              WHERE item.project_id = %s AND item.decided_at >= %s AND item.golden_id IS NULL
                AND answer.counts AND answer.active_ms IS NOT NULL
              GROUP BY item.id) item
        GROUP BY GROUPING SETS ((queue_id), ()) HAVING count(*) > 0"""
    return [ActiveRow(*row) for row in _rows(sql, [project.id, since])]


def skips(project: Project, since: dt.datetime) -> list[tuple[uuid.UUID, str, int]]:
    """Return (queue, reason, skips)."""
    found = Exclusion.objects.filter(why=SKIPPED, created_at__gte=since, item__project=project, item__golden=None)
    return list(found.values_list("item__queue", "reason").annotate(number=Count("id")).order_by())


def expiries(queues: list[uuid.UUID], since: dt.datetime) -> dict[uuid.UUID, int]:
    """Return how many slots of each queue had a lease that ran out while they were on a screen."""
    found = Assignment.objects.filter(queue__in=queues, expired_at__gte=since, item__golden=None)
    return dict(found.values_list("queue").annotate(Count("id")).order_by())


class RuleRow(NamedTuple):
    """Decided items in which a rule fired, and how many were released as written. `rule` None: allowed, none fired,
    and how many were not released as written."""

    rule: str | None
    decided: int
    overturned: int


def overturned(project: Project, since: dt.datetime) -> list[RuleRow]:
    """Count by rule. Labels that came with an import are no rule's: people gave them."""
    sql = """
        SELECT finding.rule, count(DISTINCT item.id),
               count(DISTINCT item.id) FILTER (WHERE (decision.outcome = 'release') = (finding.rule IS NOT NULL))
        FROM review_reviewitem item
        JOIN review_decision decision ON decision.item_id = item.id AND decision.cycle = item.cycle
                                   AND decision.undone_at IS NULL
        JOIN interception_check checked ON checked.id = item.check_id
        LEFT JOIN interception_finding finding ON finding.check_id = item.check_id AND finding.detector <> %s
        WHERE item.project_id = %s AND item.decided_at >= %s AND item.golden_id IS NULL
          AND (finding.rule IS NOT NULL OR checked.verdict = 'allow')
        GROUP BY finding.rule ORDER BY finding.rule NULLS LAST"""
    return [RuleRow(*row) for row in _rows(sql, [DETECTOR, project.id, since])]


def agreements(project: Project, since: dt.datetime) -> list[tuple[uuid.UUID, int, int]]:
    """Return (queue, items that two or more answered, those of them where all gave one outcome).

    As when items are settled, unsure agrees with nobody, and an adjudicator's answer is not one of them.
    """
    sql = """
        SELECT queue_id, count(*), count(*) FILTER (WHERE outcomes = 1 AND NOT unsure)
        FROM (SELECT item.queue_id, count(DISTINCT answer.outcome) AS outcomes, bool_or(answer.outcome = '') AS unsure
              FROM review_reviewitem item
              JOIN review_annotation answer ON answer.item_id = item.id AND answer.cycle = item.cycle
              JOIN review_assignment slot ON slot.id = answer.assignment_id
              WHERE item.project_id = %s AND item.decided_at >= %s AND item.golden_id IS NULL AND answer.counts
                AND slot.role IN ('primary', 'overlap')
                AND NOT EXISTS (SELECT 1 FROM review_annotation later WHERE later.supersedes_id = answer.id)
              GROUP BY item.id HAVING count(*) > 1) item
        GROUP BY queue_id"""
    return _rows(sql, [project.id, since])


def _rows(sql: str, parameters: list[Any]) -> list[Any]:
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters)
        return list(cursor.fetchall())
