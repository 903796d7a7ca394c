"""Take tasks of Label Studio in: every text is screened as the API screens it, and comes before people with its labels.

A check, its labels and its item are stored in one transaction, and the same task makes the same idempotency key: an
import that was cut off anywhere is simply run again.
"""

from __future__ import annotations

import time
import uuid
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from django.db import transaction
from django.utils.translation import gettext_noop

from review.errors import ImportStopped, WorkersBusy
from review.imported import DETECTOR, DOOR, IMPORTED
from review.label_studio.labels import Label, Labels
from review.label_studio.reading import Given
from review.models import Queue, ReviewItem, Suggestion
from review.models.items import OPEN_STATES
from review.services.raising import raise_item
from review.suggestions import new_suggestions
from screening.findings import OUTPUT
from screening.sentences import say
from webapp.accounts.models import Application
from webapp.accounts.services import SYSTEM
from webapp.audit.log import Actor, EventObject, record_event
from webapp.ids import parse_public_id
from webapp.interception.doors import intake
from webapp.interception.models import Check, Finding
from webapp.interception.problems import Problem
from webapp.interception.rows import Intake
from webapp.interception.services import screen_intakes
from webapp.interception.storing import Concluded, IdempotencyConflict, store, stored_answers
from workers.client import Overloaded

#: Tasks that are screened together, as in a batch of the API.
GROUP = 16
#: How often a group is sent to workers that have too much to do.
TRIES = 10

DECIDED = gettext_noop("something new for an item that does not wait any more: open it again first")
CHANGED = gettext_noop("a task whose text is not that of its check")


@dataclass(slots=True)
class Report:
    """What became of the tasks: `made` a check, were there (`again`); labels and answers that are new.

    What was left out: `left_out` is (number of the task, reason) to how often; gettext translates the reason.
    """

    made: int = 0
    again: int = 0
    labels: int = 0
    answers: int = 0
    left_out: Counter[tuple[int, str]] = field(default_factory=Counter)


def import_tasks(
    tasks: Sequence[Given],
    *,
    application: Application,
    queue: Queue,
    actor: Actor = SYSTEM,
    tell: Callable[[int, int], None] = lambda done, total: None,
    tries: int = TRIES,
) -> Report:
    """Screen the tasks and raise their items in `queue`; labels of tasks that were exported from here go to theirs.

    `tries` is how often a group is sent to workers that have too much to do. Raises ImportStopped; what is stored by
    then stays, and running it again goes on from there.
    """
    report = Report()
    for start in range(0, len(tasks), GROUP):
        group = tasks[start : start + GROUP]
        _import_group(group, application, queue, actor, report, tries)
        tell(start + len(group), len(tasks))
    return report


def _import_group(
    group: Sequence[Given], application: Application, queue: Queue, actor: Actor, report: Report, tries: int
) -> None:
    for task in group:
        report.left_out.update({(task.number, reason): n for reason, n in task.labels.left_out.items()})
    known = {task.number: check for task in group if (check := _exported_check(task, queue))}
    rest = [task for task in group if task.number not in known]
    intakes = [_intake(task, application) for task in rest]
    fresh: list[tuple[Given, Intake]] = []
    for task, asked, stored in zip(rest, intakes, stored_answers(intakes), strict=True):
        if isinstance(stored, Check):
            known[task.number] = stored
        else:
            fresh.append((task, asked))
    for task in group:
        if task.number in known:
            _add_known(task, known[task.number], queue, actor, report)
    if fresh:
        _import_fresh(fresh, queue, actor, report, tries)


def _exported_check(task: Given, queue: Queue) -> Check | None:
    key = parse_public_id("chk", task.check)
    return Check.objects.filter(project=queue.project_id, pk=key, content__isnull=False).first() if key else None


def _intake(task: Given, application: Application) -> Intake:
    try:
        return intake(application, task.request, task.key, door=DOOR)
    except Problem as problem:
        raise ImportStopped(
            say(
                "Task %(number)s: %(detail)s %(hint)s",
                number=task.number,
                detail=problem.detail,
                hint=problem.hint,
            )
        ) from None


def _import_fresh(
    fresh: Sequence[tuple[Given, Intake]], queue: Queue, actor: Actor, report: Report, tries: int
) -> None:
    concluded = _screened([asked for _task, asked in fresh], tries)
    twins: list[tuple[Given, Check]] = []
    with transaction.atomic():
        for (task, _asked), check in zip(fresh, store(concluded), strict=True):
            if isinstance(check, IdempotencyConflict):
                raise ImportStopped(
                    say("Task %(number)s: its idempotency key was used for another request.", number=task.number)
                )
            if check.raised is None:  # another import, or a task before it in this one, was first
                twins.append((task, check))
            else:
                report.made += 1
                _take_in(check.pk, task, queue, actor, report)
    for task, check in twins:
        _add_known(task, check, queue, actor, report)


def _screened(intakes: Sequence[Intake], tries: int) -> list[Concluded]:
    for attempt in range(1, tries + 1):
        try:
            return screen_intakes(intakes)
        except Overloaded as error:
            if attempt == tries:
                break
            time.sleep(error.retry_after)
    raise WorkersBusy(say("The workers have too much to do. Run the import again later: it goes on from here."))


def _add_known(task: Given, check: Check, queue: Queue, actor: Actor, report: Report) -> None:
    report.again += 1
    if check.content.output != task.request.output:
        report.left_out[task.number, CHANGED] += 1
        return
    _take_in(check.pk, task, queue, actor, report)


@transaction.atomic
def _take_in(check_id: uuid.UUID, task: Given, queue: Queue, actor: Actor, report: Report) -> None:
    """Add the labels and answers that are new to a check, and count them, or that they came too late.

    It gets an item in `queue` unless it has one, there or elsewhere; an open one that gets something new gets
    a new version.
    """
    # Without the key: a decision that is being made holds the item and wants a share of the check's.
    check = Check.objects.select_for_update(no_key=True, of=("self",)).select_related("project").get(pk=check_id)
    items = ReviewItem.objects.real().filter(checked=check).select_for_update(no_key=True)
    there = list(items.order_by("created_at", "id"))
    waiting = [item for item in there if item.state in OPEN_STATES]
    known = {Label(*row) for row in check.findings.filter(target=OUTPUT).values_list("category", "start", "end")}
    new = [label for label in task.labels.found if label not in known]
    said = new_suggestions(check, task.labels)
    if there and not waiting:
        if new or said:
            report.left_out[task.number, DECIDED] += len(new) + len(said)
        return
    if waiting and not new and not said:
        return
    Finding.objects.bulk_create(_finding(check, label, task.labels) for label in new)
    Suggestion.objects.bulk_create(said)
    report.labels += len(new)
    report.answers += len(said)
    where = next((item.queue for item in waiting if item.queue_id == queue.pk), waiting[0].queue if waiting else queue)
    item = raise_item(check=check, kind=IMPORTED, queue=where)
    record_event(
        type="review.item.labelled",
        project_id=check.project_id,
        actor=actor,
        object=EventObject("review_item", item.id),
        reason_codes=[f"source:{DETECTOR}"],
        cause=[check.public_id],
        counts={"labels": len(new), "answers": len(said)},
    )


def _finding(check: Check, label: Label, labels: Labels) -> Finding:
    score, model = labels.found[label]
    return Finding(
        checked=check,
        # No rule of a policy can be called so: their names have no colon.
        rule=f"{IMPORTED}:{labels.source}",
        detector=DETECTOR,
        category=label.category,
        score=score,
        action="observe",
        target=OUTPUT,
        start=label.start,
        end=label.end,
        model=model,
    )
