"""Take in checks and conclude them. Writes only; a verdict is stored before it is answered."""

from __future__ import annotations

import logging
import uuid
from collections.abc import Sequence

from django.db import IntegrityError, transaction
from django.utils import timezone
from kombu.exceptions import OperationalError

from webapp.audit.log import EventObject, event_row, record_event
from webapp.bulk import insert
from webapp.celery import app as control
from webapp.interception.models import Check, CheckContent, CheckState
from webapp.interception.rows import Intake, actor_of, content_row, new_check
from webapp.interception.screening import client, conclude_job, make_job
from webapp.interception.storing import (
    Concluded,
    IdempotencyConflict,
    attach_findings,
    conclude,
    concluded_event,
    store,
    tell_reviewers,
    twin_of,
)
from webapp.interception.texts import texts_of

log = logging.getLogger(__name__)

#: Asynchronous checks of one project that may wait for their verdicts.
MAX_PENDING = 5_000


class TooManyPending(Exception):
    """As many asynchronous checks of the project wait as may: nothing was accepted; try again in `retry_after` s."""

    retry_after = 5


def run_checks(intakes: Sequence[Intake]) -> list[Check | IdempotencyConflict]:
    """Screen and store `intakes` together and return what became of each, in order.

    Raises workers.client.Overloaded, and then nothing was accepted.
    """
    return store(screen_intakes(intakes))


def screen_intakes(intakes: Sequence[Intake]) -> list[Concluded]:
    """Screen `intakes` together and return what came of each, to be stored. Raises workers.client.Overloaded."""
    created = timezone.now()
    jobs = [
        make_job(intake.version, intake.texts, intake.deadline_ms, context=intake.request.context) for intake in intakes
    ]
    screenings = client().screen(jobs)
    return [
        Concluded(intake, conclude_job(job, intake.application.project_id, screening), created)
        for job, intake, screening in zip(jobs, intakes, screenings, strict=True)
    ]


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
    try:
        control.send_task("interception.conclude_check", args=[str(check_id)], retry=False)
    except OperationalError:
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
