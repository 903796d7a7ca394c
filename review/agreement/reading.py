"""Read the answers that agreement is measured on: given to one item, independently of each other.

Those of adjudicators, of quality checks and of appeals do not count: they knew what was said before, or judge it. Nor
do those that were asked for because the others differed: only items on which people disagree have them.
"""

from __future__ import annotations

import datetime as dt
import uuid
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import groupby, islice
from typing import Any

from django.db.models import Count, F, Q, QuerySet, Window
from django.utils import timezone

from review.agreement.spans import Span
from review.blind import given_blind
from review.models import Annotation, Queue, SpanAnnotation
from review.models.items import SlotRole
from webapp.accounts.models import Project, User

_INDEPENDENT = (SlotRole.PRIMARY, SlotRole.OVERLAP)
_CHUNK = 2000


@dataclass(frozen=True, slots=True)
class Choice:
    """Which answers: to items whose decision took effect in [since, until); `blind`: only those given blind.

    `probes`: those to golden items too.
    """

    project: Project
    since: dt.datetime
    until: dt.datetime
    blind: bool = False
    probes: bool = False


@dataclass(frozen=True, slots=True)
class Said:
    """One reviewer's answer. `spans` is None when they judged none."""

    reviewer: uuid.UUID
    verdict: str
    outcome: str
    labels: dict[str, bool]
    spans: frozenset[Span] | None = None


@dataclass(frozen=True, slots=True)
class Unit:
    """An item in one of its cycles, with two or more answers, in the order of their slots."""

    queue: uuid.UUID
    answers: list[Said] = field(default_factory=list)


def read_units(choice: Choice, queue: Queue | None = None, reviewer: User | None = None) -> Iterator[Unit]:
    """Yield the items that two or more answered independently; constant memory, however many there are.

    Of one `queue`, or with an answer of one `reviewer`, where they are given.
    """
    answers = independent_answers(choice)
    if queue:
        answers = answers.filter(item__queue=queue)
    if reviewer:
        answers = answers.filter(item__in=answers.filter(reviewer=reviewer).values("item"))
    together = Window(Count("id"), partition_by=[F("item"), F("cycle")])
    rows = (
        answers.annotate(answers=together)
        .filter(answers__gt=1)
        .order_by("item", "cycle", "assignment__slot_no")
        .values_list("item", "cycle", "id", "item__queue", "reviewer", "verdict", "outcome", "labels")
    )
    units = _grouped(rows.iterator(_CHUNK))
    while part := list(islice(units, _CHUNK)):
        spans = _spans([row[2] for unit in part for row in unit])
        for unit in part:
            yield Unit(unit[0][3], [_said(row, spans) for row in unit])


def independent_answers(choice: Choice) -> QuerySet[Annotation]:
    """Return the answers of a choice, of items with one answer as well."""
    until = min(choice.until, timezone.now())  # later ones can still be taken back
    return Annotation.objects.filter(
        given_blind() if choice.blind else Q(counts=True, superseded_by=None),
        Q() if choice.probes else Q(item__golden=None),
        item__project=choice.project,
        item__decided_at__gte=choice.since,
        item__decided_at__lt=until,
        assignment__role__in=_INDEPENDENT,
        assignment__extra=False,
    )


def _said(row: tuple[Any, ...], spans: dict[uuid.UUID, frozenset[Span]]) -> Said:
    reviewer, verdict, outcome, labels = row[4:]
    return Said(reviewer, verdict, outcome, labels, spans.get(row[2]))


def _grouped(rows: Iterator[tuple[Any, ...]]) -> Iterator[list[tuple[Any, ...]]]:
    for _, unit in groupby(rows, key=lambda row: row[:2]):
        yield list(unit)


def _spans(answers: list[uuid.UUID]) -> dict[uuid.UUID, frozenset[Span]]:
    """Return the spans that each of these answers left standing, without those that judged none."""
    found: dict[uuid.UUID, set[Span]] = defaultdict(set)
    rows = SpanAnnotation.objects.filter(annotation__in=answers)
    for answer, change, label, start, end in rows.values_list("annotation", "change", "label", "start", "end"):
        standing = found[answer]
        if change != SpanAnnotation.Change.REMOVED:
            standing.add((label, start, end))
    return {answer: frozenset(spans) for answer, spans in found.items()}
