"""One reviewer's own figures: for that reviewer and the leads, never beside another's."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from django.db.models import Count, Exists, F, OuterRef, Q, QuerySet, Sum
from django.utils import timezone

from review.agreement.coefficients import Estimate
from review.agreement.figures import own_agreement
from review.agreement.reading import Choice
from review.dashboard.intervals import Share
from review.models import Annotation, Appeal, Exclusion
from review.models.appeals import AppealOutcome
from review.models.decisions import Method
from review.services.escalation import SKIPPED
from webapp.accounts.models import Project, User

#: Decisions that other people's answers took part in.
_TOGETHER = (Method.CONSENSUS, Method.ADJUDICATED)
AGREEMENT_DAYS = 30
APPEAL_DAYS = 90


@dataclass(frozen=True, slots=True)
class OwnFigures:
    """Answers, milliseconds of activity and skips, today and in the last 7 days; agreement of the last 30.

    `reversed`: of the decisions with their outcome that were contested in the last 90 days and decided anew.
    """

    today: int
    week: int
    active_today: int
    active_week: int
    skips_today: int
    skips_week: int
    agreement: Share
    kappa: Estimate
    reversed: Share


def own_figures(*, project: Project, user: User, probes: bool = False) -> OwnFigures:
    """Return the figures of `user` in the project; six queries at most. Days begin at midnight UTC.

    With `probes`, golden items count in all of them: to a reviewer, one that counted in some would stand out.
    """
    now = timezone.now()
    midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
    week = midnight - dt.timedelta(days=6)
    today = Q(created_at__gte=midnight)
    answers = Annotation.objects.filter(reviewer=user, item__project=project, undone_at=None, precedent=None)
    counted = answers.filter(created_at__gte=week).aggregate(
        today=Count("id", filter=today),
        week=Count("id"),
        active_today=Sum("active_ms", filter=today, default=0),
        active_week=Sum("active_ms", default=0),
    )
    skips = Exclusion.objects.filter(reviewer=user, item__project=project, why=SKIPPED, created_at__gte=week)
    skipped = skips.aggregate(skips_today=Count("id", filter=today), skips_week=Count("id"))
    lately = Choice(project, now - dt.timedelta(days=AGREEMENT_DAYS), now, probes=probes)
    return OwnFigures(
        **counted,
        **skipped,
        agreement=_agreement(answers if probes else answers.filter(item__golden=None), now),
        kappa=own_agreement(lately, user),
        reversed=_reversed(project, user, now),
    )


def _agreement(answers: QuerySet[Annotation], now: dt.datetime) -> Share:
    """Return how many answers were what was decided, where others answered too; unsure agrees with nothing."""
    together = answers.filter(
        created_at__gte=now - dt.timedelta(days=AGREEMENT_DAYS),
        counts=True,
        item__decisions__cycle=F("cycle"),
        item__decisions__undone_at__isnull=True,
        item__decisions__method__in=_TOGETHER,
        item__decided_at__lte=now,
    ).exclude(assignment__role="adjudicator")
    found = together.aggregate(
        agreed=Count("id", filter=Q(item__decisions__outcome=F("outcome"))), answered=Count("id")
    )
    return Share(found["agreed"], found["answered"])


def _reversed(project: Project, user: User, now: dt.datetime) -> Share:
    """Return how many of the decided appeals against decisions that `user` gave the outcome of were reversed."""
    theirs = Annotation.objects.filter(
        reviewer=user,
        counts=True,
        precedent=None,
        item=OuterRef("contested__item"),
        cycle=OuterRef("contested__cycle"),
        outcome=OuterRef("contested__outcome"),
    )
    told = Q(decision__waits_until=None) | Q(decision__waits_until__lte=now)
    made = Appeal.objects.filter(told, Exists(theirs), project=project, decision__isnull=False)
    made = made.filter(created_at__gte=now - dt.timedelta(days=APPEAL_DAYS))
    found = made.aggregate(reversed=Count("id", filter=Q(outcome=AppealOutcome.REVERSED)), decided=Count("id"))
    return Share(found["reversed"], found["decided"])
