"""Take in checks and conclude them. Writes only; a verdict is stored before it is answered."""

from __future__ import annotations

import datetime as dt
import logging
import uuid
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import ParamSpec, TypeVar

from django.db import IntegrityError, transaction
from django.utils import timezone
from kombu.exceptions import OperationalError

from screening.engine import Job
from webapp.audit.log import EventObject, event_row, record_event
from webapp.bulk import insert
from webapp.celery import app as control
from webapp.interception.models import Check, CheckContent, CheckState
from webapp.interception.rows import Intake, actor_of, content_row, new_check
from webapp.interception.screening import client, conclude_job, make_job
from webapp.interception.storing import (
    Concluded,
    attach_findings,
    conclude,
    concluded_event,
    store_each,
    tell_reviewers,
    twin_of,
)
from webapp.interception.texts import texts_of
from workers.client import Overloaded, Screening

P = ParamSpec("P")
T = TypeVar("T")

log = logging.getLogger(__name__)

#: Asynchronous checks of one project that may wait for their verdicts.
MAX_PENDING = 5_000


class TooManyPending(Exception):
    """As many asynchronous checks of the project wait as may: nothing was accepted; try again in `retry_after` s."""

    retry_after = 5


def run_checks(intakes: Sequence[Intake]) -> list[Check | Exception]:
    """Screen and store `intakes` together and return what became of each, in order: a failure is that of one alone.

    One that there is no room for fails with workers.client.Overloaded. Raises what `store_each` does.
    """
    screened = screen_each(intakes)
    stored = iter(store_each([one for one in screened if isinstance(one, Concluded)]))
    return [next(stored) if isinstance(one, Concluded) else one for one in screened]


def screen_intakes(intakes: Sequence[Intake]) -> list[Concluded]:
    """Return what `screen_each` does, where none failed. Raises workers.client.Overloaded, or what one failed by."""
    concluded: list[Concluded] = []
    for one in screen_each(intakes):
        if isinstance(one, Exception):
            raise one
        concluded.append(one)
    return concluded


def screen_each(intakes: Sequence[Intake]) -> list[Concluded | Exception]:
    """Screen `intakes` together and return what came of each, to be stored, or what it failed by."""
    created = timezone.now()
    jobs = [_tried(_job_of, intake, created.timestamp()) for intake in intakes]
    sent = [job for job in jobs if isinstance(job, Job)]
    screenings = iter(client().screen_each(sent) if sent else [])
    return [
        _tried(_concluded, intake, job, next(screenings), created) if isinstance(job, Job) else job
        for intake, job in zip(intakes, jobs, strict=True)
    ]


def _job_of(intake: Intake, started: float) -> Job:
    context = intake.request.context
    return make_job(intake.version, intake.texts, intake.deadline_ms, context=context, started=started)


def _concluded(intake: Intake, job: Job, screening: Screening | Overloaded, created: dt.datetime) -> Concluded:
    if isinstance(screening, Overloaded):
        raise screening
    return Concluded(intake, conclude_job(job, intake.application.project_id, screening), created)


def _tried(step: Callable[P, T], *args: P.args, **named: P.kwargs) -> T | Exception:
    try:
        return step(*args, **named)
    except Exception as error:  # noqa: BLE001 - whatever it is, the others of a batch are screened
        return error


def accept_check(intake: Intake) -> Check:
    """Store a check that is screened afterwards: it is a row before it is a message.

    Raises IdempotencyConflict, and TooManyPending when those accepted before are not done with.
    """
    pending = Check.objects.filter(project=intake.application.project, state=CheckState.PENDING)
    # Not counted: whether there is one more than may be is enough.
    if pending[MAX_PENDING - 1 : MAX_PENDING].exists():
        raise TooManyPending
    try:
        with transaction.atomic():
            return _accept(intake)
    except IntegrityError as error:
        return twin_of(intake, error)


def _accept(intake: Intake) -> Check:
    check = new_check(intake, timezone.now())
    check.asynchronous = True
    check.save(force_insert=True)
    content_row(check, intake, released=None).save(force_insert=True)
    record_event(
        type="check.accepted",
        project_id=check.project_id,
        actor=actor_of(intake.application),
        object=EventObject("check", check.id),
        ts=check.created_at,
    )
    transaction.on_commit(lambda: _send_for_conclusion(check.id))
    return check


def _send_for_conclusion(check_id: uuid.UUID) -> None:
    with suppress(OperationalError):
        if client().redis_answers():
            control.send_task("interception.conclude_check", args=[str(check_id)], retry=False)
            return
    log.warning("Redis does not answer; the sweeper will send check %s", check_id)


def conclude_pending(check_id: uuid.UUID) -> None:
    """Screen an accepted check and store its verdict; does nothing when it has one. Safe to run twice."""
    check = (
        Check.objects.select_related("content", "policy_version__policy", "application", "project")
        .filter(pk=check_id, state=CheckState.PENDING)
        .first()
    )
    if check is None:
        return
    content = check.content
    texts = texts_of(content.output, content.messages)
    job = make_job(check.policy_version, texts, check.deadline_ms, context=content.context)
    (screening,) = client().screen([job])
    screened = conclude_job(job, check.project_id, screening)
    with transaction.atomic():
        locked = Check.objects.select_for_update().filter(pk=check_id, state=CheckState.PENDING).exists()
        if not locked:
            return  # another worker was first; its verdict stands
        kind = conclude(check, screened)
        check.save()
        CheckContent.objects.filter(pk=check.pk).update(released=screened.conclusion.output)
        insert(attach_findings(check, screened), [event_row(concluded_event(check, screened))])
        tell_reviewers(check, kind)
