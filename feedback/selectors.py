"""Reads: decided items, datasets, versions, exports; each within one project."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Iterator, Sequence

from django.db.models import Count, Exists, F, OuterRef, Prefetch, Q, QuerySet
from django.utils import timezone

from feedback.filters import Filters
from feedback.jobs import STALE_AFTER, J
from feedback.models import Dataset, DatasetRow, DatasetVersion, Export, JobState
from review.blind import given_blind
from review.models import Annotation, Decision, FindingVerdict, GoldenItem, ReviewItem
from review.models.annotations import Outcome
from review.models.decisions import Method
from review.models.items import ItemState, SlotRole
from screening.categories import MODEL_CATEGORIES, SEXUAL_MINORS
from webapp.accounts.models import Project

#: Every category that a label can be of, in the order of the label columns of exports. Only ever append.
CATEGORIES = (*MODEL_CATEGORIES, SEXUAL_MINORS)
PAGE = 500
#: Whose answers are data. Those of quality checks and appeals judge reviewers, and never enter.
ANSWER_ROLES = (SlotRole.PRIMARY, SlotRole.OVERLAP, SlotRole.ADJUDICATOR)


def decided_items(*, project: Project, filters: Filters, before: dt.datetime) -> QuerySet[ReviewItem]:
    """Return the items whose decision holds at `before`, oldest decision first; none that an appeal or QA decided.

    Probes, by which reviewers are measured, are never among them, and what they are made of only if `filters` say so.
    """
    decisions = Decision.objects.standing().filter(item=OuterRef("pk"), cycle=OuterRef("cycle"))
    decisions = decisions.exclude(method__in=(Method.APPEAL, Method.QA))
    if filters.outcomes:
        decisions = decisions.filter(outcome__in=filters.outcomes)
    items = ReviewItem.objects.real().filter(Exists(decisions), project=project, state=ItemState.DECIDED)
    if not filters.golden:
        items = items.exclude(Exists(GoldenItem.objects.filter(source=OuterRef("pk"), retired_at=None)))
    items = items.filter(decided_at__lte=before, checked__content__isnull=False)
    if filters.since:
        items = items.filter(decided_at__gte=_midnight(filters.since))
    if filters.until:
        items = items.filter(decided_at__lt=_midnight(filters.until + dt.timedelta(days=1)))
    if filters.queues:
        items = items.filter(queue__slug__in=filters.queues)
    if filters.categories:
        items = items.filter(_any(has_category(category) for category in filters.categories))
    if filters.assistance:
        answers = _answers().filter(item=OuterRef("pk"), cycle=OuterRef("cycle"))
        items = items.filter(Exists(answers), ~Exists(answers.exclude(assistance__in=filters.assistance)))
    return items.order_by("decided_at", "id")


def has_category(category: str) -> Q:
    """Return the condition that a person confirmed `category` of an item."""
    answers = _answers().filter(item=OuterRef("pk"), cycle=OuterRef("cycle"))
    kept = FindingVerdict.objects.filter(
        annotation__item=OuterRef("pk"),
        annotation__cycle=OuterRef("cycle"),
        annotation__counts=True,
        annotation__superseded_by=None,
        finding__category=category,
        kept=True,
    )
    denied = answers.filter(labels__contains={category: False})
    return Q(Exists(answers.filter(labels__contains={category: True}))) | Q(Exists(kept), ~Exists(denied))


def pages(items: QuerySet[ReviewItem], *, size: int = PAGE) -> Iterator[list[ReviewItem]]:
    """Yield `items` (ordered by decision) a page at a time, by key: constant memory, no long-lived cursor."""
    page = list(items[:size])
    while page:
        yield page
        last = page[-1]
        after = Q(decided_at__gt=last.decided_at) | Q(decided_at=last.decided_at, id__gt=last.id)
        page = list(items.filter(after)[:size]) if len(page) == size else []


def with_answers(items: QuerySet[ReviewItem]) -> QuerySet[ReviewItem]:
    """Add all that a record is made of, in a number of queries that does not grow with the items.

    `item.answers` are the counting annotations of the item's cycle, `item.blind_answers` those that people gave blind,
    whether or not they answered again after, `item.holding` its decision in a list.
    """
    blind = Annotation.objects.filter(given_blind(), assignment__role__in=ANSWER_ROLES)
    holding = Decision.objects.standing().filter(cycle=F("item__cycle")).select_related("policy_version__policy")
    return items.select_related("checked__content", "queue", "project").prefetch_related(
        Prefetch("annotations", queryset=_in_full(_answers()), to_attr="answers"),
        Prefetch("annotations", queryset=_in_full(blind), to_attr="blind_answers"),
        Prefetch("decisions", queryset=holding, to_attr="holding"),
        "triggers",
        "checked__findings",
        "checked__releases",
    )


def items_by_id(*, project: Project, ids: Sequence[uuid.UUID]) -> dict[uuid.UUID, ReviewItem]:
    """Return the still decided ones of `ids`, with all that a record is made of."""
    decided = ReviewItem.objects.filter(state=ItemState.DECIDED, decided_at__lte=timezone.now())
    items = decided.filter(project=project, id__in=ids)
    return {item.id: item for item in with_answers(items.filter(checked__content__isnull=False))}


def outcome_counts(items: QuerySet[ReviewItem]) -> dict[str, int]:
    """Count `items` by the outcome of their decision, in the order of severity; outcomes without items are left out."""
    counts = dict(
        Decision.objects.standing()
        .filter(item__in=items.order_by(), cycle=F("item__cycle"))
        .values_list("outcome")
        .annotate(n=Count("pk"))
    )
    return {outcome: counts[outcome] for outcome in Outcome.values if outcome in counts}


def category_counts(items: QuerySet[ReviewItem]) -> dict[str, int]:
    """Count `items` by confirmed category, in the order of CATEGORIES; an item can have several."""
    filters = {f"c{i}": Count("pk", filter=has_category(name)) for i, name in enumerate(CATEGORIES)}
    counts = items.order_by().aggregate(**filters)
    return {name: counts[f"c{i}"] for i, name in enumerate(CATEGORIES) if counts[f"c{i}"]}


def datasets_of(project: Project) -> QuerySet[Dataset]:
    """Return the datasets of a project by name, each with `newest`: the number of its newest frozen version."""
    newest = DatasetVersion.objects.filter(dataset=OuterRef("pk"), state=JobState.DONE).order_by("-version")
    return (
        Dataset.objects.filter(project=project)
        .annotate(
            newest=newest.values("version")[:1],
            newest_rows=newest.values("rows")[:1],
            frozen_at=newest.values("created_at")[:1],
        )
        .order_by("name", "id")
    )


def newest_version(dataset: Dataset) -> DatasetVersion | None:
    return dataset.versions.filter(state=JobState.DONE).order_by("-version").first()


def newest_exports(version: DatasetVersion) -> dict[str, Export]:
    """Return the newest export of each format that has one."""
    exports = version.exports.order_by("format", "-created_at", "-id").distinct("format")
    return {export.format: export for export in exports}


def abandoned(jobs: QuerySet[J]) -> QuerySet[J]:
    """Return the jobs that wait for longer than STALE_AFTER, or whose run is dead."""
    since = timezone.now() - STALE_AFTER
    waiting = Q(state=JobState.PENDING, created_at__lt=since)
    return jobs.filter(waiting | Q(state=JobState.RUNNING, beat_at__lt=since))


def member_pages(version: DatasetVersion, *, size: int = PAGE) -> Iterator[list[DatasetRow]]:
    """Yield the rows of a version in their order, a page at a time, by key."""
    at = -1
    while page := list(version.members.filter(index__gt=at).order_by("index")[:size]):
        yield page
        at = page[-1].index


def _answers() -> QuerySet[Annotation]:
    return Annotation.objects.filter(counts=True, superseded_by=None, assignment__role__in=ANSWER_ROLES)


def _in_full(answers: QuerySet[Annotation]) -> QuerySet[Annotation]:
    return (
        answers.filter(cycle=F("item__cycle"))
        .select_related("assignment", "correction")
        .prefetch_related("finding_verdicts", "spans__finding", "pairs")
        .order_by("created_at", "id")
    )


def _any(conditions: Iterator[Q]) -> Q:
    result = Q()
    for condition in conditions:
        result |= condition
    return result


def _midnight(day: dt.date) -> dt.datetime:
    return dt.datetime.combine(day, dt.time.min, dt.UTC)
