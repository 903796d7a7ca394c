"""What leads read about golden items, and who is paused for them."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from django.db.models import Avg, Count, QuerySet
from django.utils import timezone

from review.dashboard.intervals import Share
from review.models import GoldenItem, Queue, ReviewerPause
from review.models.golden import RetiredBecause
from review.services.probes import standing_results
from webapp.accounts.models import Project, User

REVERSED_DAYS = 90


@dataclass(frozen=True, slots=True)
class OwnGolden:
    """One reviewer's golden answers in a queue: how many had the right outcome, and the mean score of the last ones."""

    queue: Queue
    right: Share
    score: float


def golden_items(project: Project) -> QuerySet[GoldenItem]:
    """Return the golden items in use, by queue, newest first, with `answers` and their mean `mean_score`."""
    return (
        GoldenItem.objects.filter(project=project, retired_at=None)
        .select_related("queue", "source", "created_by")
        .annotate(answers=Count("results"), mean_score=Avg("results__score"))
        .order_by("queue__name", "-created_at")
    )


def reversed_items(project: Project) -> QuerySet[GoldenItem]:
    """Return the golden items that retired by themselves lately, newest first, with `answers`."""
    since = timezone.now() - dt.timedelta(days=REVERSED_DAYS)
    found = GoldenItem.objects.filter(project=project, retired_because=RetiredBecause.REVERSED, retired_at__gte=since)
    return found.select_related("queue", "source").annotate(answers=Count("results")).order_by("-retired_at")


def open_pauses(project: Project) -> QuerySet[ReviewerPause]:
    """Return who is paused now in the project's queues, longest first."""
    pauses = ReviewerPause.objects.filter(queue__project=project, lifted_at=None)
    return pauses.select_related("queue", "reviewer").order_by("created_at")


def golden_of(*, project: Project, user: User) -> list[OwnGolden]:
    """Return the figures of one reviewer, by queue; for leads, and for that reviewer once they are paused."""
    queues = project.queues.filter(id__in=standing_results().filter(reviewer=user).values("queue")).order_by("name")
    return [_in_queue(queue, user) for queue in queues]


def _in_queue(queue: Queue, user: User) -> OwnGolden:
    results = standing_results().filter(queue=queue, reviewer=user).order_by("-created_at", "-id")
    last = list(results.values_list("verdict", "score")[: queue.golden_window])
    right = Share(sum(verdict for verdict, _ in last), len(last))
    return OwnGolden(queue, right, sum(score for _, score in last) / len(last))
