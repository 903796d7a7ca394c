"""How often what was decided is contested, and how often that was right to do."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from django.db import connection
from django.db.models import Count, Exists, OuterRef

from review.dashboard.intervals import Share
from review.models import Appeal, Exclusion
from review.services.claims import ADJUDICATORS
from webapp.accounts.models import Membership, Project, Role

DAYS = 30


@dataclass(frozen=True, slots=True)
class AppealRow:
    """Appeals made against checks in which a rule had found something; `rule` None: all appeals."""

    rule: str | None
    made: int
    upheld: int
    reversed: int

    @property
    def pending(self) -> int:
        return self.made - self.upheld - self.reversed

    @property
    def reversals(self) -> Share:
        return Share(self.reversed, self.upheld + self.reversed)


@dataclass(frozen=True, slots=True)
class Appeals:
    """`pending` are all that nobody decided yet, `stuck` those of them that nobody in the project may decide; the rows
    are of the last DAYS days, all of them first."""

    pending: int
    stuck: int
    rows: list[AppealRow]


def read_appeals(project: Project, now: dt.datetime) -> Appeals:
    """Return the figures of a project in two queries; what can still be taken back is pending."""
    sql = """
        SELECT finding.rule, count(DISTINCT appeal.id),
               count(DISTINCT appeal.id) FILTER (WHERE told.id IS NOT NULL AND appeal.outcome = 'upheld'),
               count(DISTINCT appeal.id) FILTER (WHERE told.id IS NOT NULL AND appeal.outcome = 'reversed')
        FROM review_appeal appeal
        LEFT JOIN review_decision told ON told.id = appeal.decision_id
                                      AND (told.waits_until IS NULL OR told.waits_until <= %s)
        LEFT JOIN interception_finding finding ON finding.check_id = appeal.check_id
        WHERE appeal.project_id = %s AND appeal.created_at >= %s
        GROUP BY GROUPING SETS ((finding.rule), ()) HAVING finding.rule IS NOT NULL OR grouping(finding.rule) = 1
        ORDER BY finding.rule NULLS FIRST"""
    with connection.cursor() as cursor:
        cursor.execute(sql, [now, project.id, now - dt.timedelta(days=DAYS)])
        rows = [AppealRow(*row) for row in cursor.fetchall()]
    excluded = Exclusion.objects.filter(item=OuterRef(OuterRef("item")), reviewer=OuterRef("user"))
    able = Membership.objects.filter(
        ~Exists(excluded), project=OuterRef("project"), role__in=(*ADJUDICATORS, Role.REVIEWER), user__is_active=True
    )
    waiting = Appeal.objects.filter(project=project, outcome="").aggregate(
        pending=Count("id"), stuck=Count("id", filter=~Exists(able))
    )
    return Appeals(**waiting, rows=rows if rows[0].made else [])
