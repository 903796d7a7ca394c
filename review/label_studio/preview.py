"""What an import of tasks would do, counted without doing it."""

from __future__ import annotations

import uuid
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import TypedDict

from review.label_studio.importing import CHANGED, DECIDED
from review.label_studio.reading import Given
from review.models import ReviewItem
from review.models.items import OPEN_STATES
from webapp.accounts.models import Application
from webapp.ids import parse_public_id
from webapp.interception.models import Check

#: Tasks that are looked up by one query, and in memory together.
LOOKED_UP = 100
#: Tasks of which something is left out that are named one by one.
NAMED = 50
#: Rows that are kept of what was left out; the rest is summed up by reason, as of task 0.
KEPT_ROWS = 500


LeftOut = tuple[int, str, int]


class Preview(TypedDict):
    """Counts of tasks, and of what they bring; `left_out` is [number of the task, reason, how often]."""

    tasks: int
    annotated: int
    predicted: int
    here: int
    labels: int
    answers: int
    left_out: list[LeftOut]


def preview(tasks: Iterable[Given], *, application: Application) -> Preview:
    """Count what `tasks` would become; which of their labels are new is known only when they are imported."""
    left_out: Counter[tuple[int, str]] = Counter()
    counted: Counter[str] = Counter()
    tasks = iter(tasks)
    while some := list(islice(tasks, LOOKED_UP)):
        known = dict(_known(some, application))
        waiting = _waiting(known)
        counted.update(tasks=len(some), here=len(known))
        for task in some:
            labels = task.labels
            left_out.update({(task.number, reason): n for reason, n in labels.left_out.items()})
            if task.number in known and (reason := _refused(task, known[task.number], waiting)):
                left_out[task.number, reason] += len(labels.found) + len(labels.said)
            if labels.found or labels.said:
                counted.update({labels.source: 1, "labels": len(labels.found), "answers": len(labels.said)})
    return Preview(
        tasks=counted["tasks"],
        annotated=counted["annotation"],
        predicted=counted["prediction"],
        here=counted["here"],
        labels=counted["labels"],
        answers=counted["answers"],
        left_out=as_rows(left_out),
    )


def as_rows(left_out: Counter[tuple[int, str]], before: Sequence[LeftOut] = ()) -> list[LeftOut]:
    """Return what was left out after the rows of `before`, by task."""
    rows = [row for row in before if row[0]]
    rows += [(number, reason, n) for (number, reason), n in sorted(left_out.items())]
    rest = totals([*rows[KEPT_ROWS:], *(row for row in before if not row[0])])
    return rows[:KEPT_ROWS] + [(0, reason, n) for reason, n in rest.items()]


def totals(rows: Sequence[LeftOut]) -> dict[str, int]:
    """Return how much was left out for each reason."""
    found: Counter[str] = Counter()
    for _number, reason, n in rows:
        found[reason] += n
    return dict(sorted(found.items()))


def _known(tasks: Sequence[Given], application: Application) -> Iterator[tuple[int, Check]]:
    """Yield the tasks that have a check here: that they were exported from, or that an import made before."""
    ids = {task.number: key for task in tasks if (key := parse_public_id("chk", task.check))}
    exported = (
        Check.objects.filter(project=application.project_id, content__isnull=False)
        .select_related("content")
        .in_bulk(set(ids.values()))
    )
    keys = {task.key for task in tasks}
    made = Check.objects.filter(application=application, idempotency_key__in=keys).select_related("content")
    imported = {check.idempotency_key: check for check in made}
    for task in tasks:
        check = exported.get(ids.get(task.number, uuid.UUID(int=0))) or imported.get(task.key)
        if check is not None:
            yield task.number, check


def _waiting(known: dict[int, Check]) -> dict[uuid.UUID, bool]:
    """Return of the checks that have items whether one of them is open."""
    items = ReviewItem.objects.real().filter(checked__in=known.values()).values_list("checked", "state")
    waiting: dict[uuid.UUID, bool] = {}
    for check, state in items:
        waiting[check] = waiting.get(check, False) or state in OPEN_STATES
    return waiting


def _refused(task: Given, check: Check, waiting: dict[uuid.UUID, bool]) -> str:
    if check.content.output != task.request.output:
        return CHANGED
    return DECIDED if (task.labels.found or task.labels.said) and not waiting.get(check.pk, True) else ""
