"""Turn filters into a query, and page through it by key."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any

from django.db.models import Exists, OuterRef, Prefetch, Q, QuerySet
from django.utils import timezone

from review.blind import blind_now
from review.browse.forms import CHANGED, FOLLOWED, MADE, NO_RULE, OPEN, PENDING, WITH_LEADS
from review.models import Annotation, Appeal, Decision, Exclusion, GoldenItem, ReviewItem, SearchText
from review.models.annotations import Outcome
from review.models.items import OPEN_STATES, ItemState
from review.search import matching
from review.services.escalation import SKIPPED
from review.severity import LOW, NAMES
from webapp.accounts.models import Project
from webapp.ids import parse_public_id
from webapp.interception.models import Finding

PAGE_SIZE = 50
#: Filters by what the machine found, and by what follows from it.
_OF_THE_MACHINE = {"verdict", "severity", "rule", "category"}
_GOLDEN_SOURCE = Q(Exists(GoldenItem.objects.filter(source=OuterRef("pk"), retired_at=None)))


def find_items(
    *, project: Project, filters: Mapping[str, Any], after: str = "", reviewers: bool = False
) -> tuple[list[ReviewItem], bool]:
    """Return a page of items, newest first, and whether there are more.

    Without `reviewers`, probes of golden items are left out. Those who may get one find them like any other, but not
    the items that they were made of, which would give the answer away. Nor do they find what is answered blind by what
    the machine thinks of it.
    `after` is the public id of the last item of the page before: what comes in meanwhile moves nothing.
    """
    shown = ReviewItem.objects.exclude(_GOLDEN_SOURCE) if reviewers else ReviewItem.objects.real()
    if reviewers and _OF_THE_MACHINE & set(filters):
        shown = shown.exclude(blind_now())
    found = shown.filter(_conditions(filters), project=project)
    key = parse_public_id("rvw", after)
    last = ReviewItem.objects.filter(project=project, id=key).first() if key else None
    if last is not None:
        # The first condition alone is a range of the index; the second puts those of one moment in order.
        found = found.filter(created_at__lte=last.created_at).exclude(created_at=last.created_at, id__gte=last.id)
    decisions = Prefetch("decisions", Decision.objects.standing().order_by("-cycle"))
    rows = found.select_related("queue", "checked__application").prefetch_related(decisions)
    page = list(rows.order_by("-created_at", "-id")[: PAGE_SIZE + 1])
    return page[:PAGE_SIZE], len(page) > PAGE_SIZE


def matching_items(*, project: Project, filters: Mapping[str, Any]) -> QuerySet[ReviewItem]:
    """Return all items that the filters match, without probes of golden items."""
    return ReviewItem.objects.real().filter(_conditions(filters), project=project)


def _conditions(filters: Mapping[str, Any]) -> Q:
    found = Q()
    for name, value in filters.items():
        if name in _CONDITIONS:
            found &= _CONDITIONS[name](value)
    for name in ("since", "until"):
        if name in filters and filters.get("time") != "skipped":
            field = "decided_at" if filters.get("time") == "decided" else "created_at"
            found &= Q(**{f"{field}__{'gte' if name == 'since' else 'lt'}": filters[name]})
    return found & _skips(filters)


def _state(value: str) -> Q:
    groups = {OPEN: OPEN_STATES, WITH_LEADS: (ItemState.ADJUDICATION, ItemState.ESCALATED)}
    return Q(state__in=groups.get(value, (value,)))


def _severity(value: str) -> Q:
    number = NAMES.index(value)
    return Q(severity__lte=LOW) if number == LOW else Q(severity=number)


def _outcome(value: str) -> Q:
    decision = Decision.objects.standing().told().filter(item=OuterRef("pk"), cycle=OuterRef("cycle"))
    wanted = decision.exclude(outcome=Outcome.RELEASE) if value == CHANGED else decision.filter(outcome=value)
    return Q(Exists(wanted))


def _method(value: str) -> Q:
    decision = Decision.objects.standing().filter(item=OuterRef("pk"), cycle=OuterRef("cycle"))
    followed = decision.filter(precedent__isnull=False)
    return Q(Exists(followed if value == FOLLOWED else decision.filter(method=value)))


def _findings(**wanted: str) -> Q:
    return Q(Exists(Finding.objects.filter(checked=OuterRef("checked"), **wanted)))


def _appeal(value: str) -> Q:
    appeals = Appeal.objects.filter(item=OuterRef("pk"))
    return Q(Exists(appeals if value == MADE else appeals.filter(outcome="" if value == PENDING else value)))


def _due(value: str) -> Q:
    now = timezone.now()
    soon = Q(sla_due_at__gte=now, sla_due_at__lt=now + dt.timedelta(hours=1))
    return Q(state__in=OPEN_STATES) & (soon if value == "hour" else Q(sla_due_at__lt=now))


def _words(value: str) -> Q:
    # An uncorrelated IN: the index of the words is read once.
    return Q(checked__in=SearchText.objects.filter(words=matching(value)).values("checked"))


def _skips(filters: Mapping[str, Any]) -> Q:
    if "skipped" not in filters and filters.get("time") != "skipped":
        return Q()
    skips = Exclusion.objects.filter(item=OuterRef("pk"), why=SKIPPED)
    if "skipped" in filters:
        skips = skips.filter(reason=filters["skipped"])
    if filters.get("time") == "skipped" and "since" in filters:
        skips = skips.filter(created_at__gte=filters["since"])
    if filters.get("time") == "skipped" and "until" in filters:
        skips = skips.filter(created_at__lt=filters["until"])
    return Q(Exists(skips))


_CONDITIONS = {
    "q": _words,
    "state": _state,
    "queue": lambda value: Q(queue__slug=value),
    "severity": _severity,
    "outcome": _outcome,
    "method": _method,
    "verdict": lambda value: Q(checked__verdict=value),
    "rule": lambda value: ~_findings() if value == NO_RULE else _findings(rule=value),
    "category": lambda value: _findings(category=value),
    "application": lambda value: Q(checked__application=value),
    "reviewer": lambda value: Q(Exists(Annotation.objects.filter(item=OuterRef("pk"), reviewer=value))),
    "appeal": _appeal,
    "due": _due,
}
