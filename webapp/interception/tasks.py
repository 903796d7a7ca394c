"""Asynchronous checks, the sweeper that nothing escapes, and late results. All safe to run twice."""

from __future__ import annotations

import datetime as dt
import logging
import uuid

import redis
from celery import shared_task
from django.db import DatabaseError
from django.db.models import DurationField, ExpressionWrapper, F, Value
from django.utils import timezone

from webapp.interception.late import attach_late_results
from webapp.interception.models import Check, CheckState
from webapp.interception.screening import client
from webapp.interception.services import conclude_pending
from workers.broker import CONCLUDE
from workers.client import Overloaded

log = logging.getLogger(__name__)

GRACE = dt.timedelta(seconds=5)
LATE_WINDOW = dt.timedelta(seconds=120)
SWEEP_LIMIT = 500
RESENT_EXPIRES_SECONDS = 10
LATE_LIMIT = 20_000


@shared_task(name="interception.conclude_check")
def conclude_check(check_id: str) -> None:
    """Give an accepted check its verdict. When too much waits the sweeper sends it again."""
    try:
        conclude_pending(uuid.UUID(check_id))
    except Overloaded:
        return


@shared_task(name="interception.sweep_checks")
def sweep_checks() -> int:
    """Send again the checks that have no verdict after their deadline, the oldest first; return how many.

    As long as a flood of messages waits nothing is added to it: they are probably among them.
    """
    try:
        room = max(0, SWEEP_LIMIT - client().waiting(CONCLUDE))
    except redis.RedisError:
        return 0  # what can not be sent is sent by the next sweep
    deadline = ExpressionWrapper(F("deadline_ms") * Value(dt.timedelta(milliseconds=1)), output_field=DurationField())
    overdue = (
        Check.objects.filter(state=CheckState.PENDING)
        .annotate(due=F("created_at") + deadline)
        .filter(due__lt=timezone.now() - GRACE)
        .order_by("created_at")
        .values_list("id", flat=True)[:room]
    )
    ids = list(overdue)
    for check_id in ids:
        # The next sweep sends again what this one's messages did not bring about.
        conclude_check.apply_async([str(check_id)], expires=RESENT_EXPIRES_SECONDS)
    return len(ids)


@shared_task(name="interception.collect_late_results")
def collect_late_results() -> int:
    """Attach results that came after their check's deadline; return how many checks got some."""
    waiting = Check.objects.exclude(reply_key="").order_by("created_at")
    due = list(waiting.values_list("id", "reply_key")[:LATE_LIMIT])
    try:
        return sum(_collect(due[start : start + SWEEP_LIMIT]) for start in range(0, len(due), SWEEP_LIMIT))
    except redis.RedisError:
        return 0  # the lists will be there next time, or are gone for good
    finally:
        waiting.filter(concluded_at__lt=timezone.now() - LATE_WINDOW).update(reply_key="")


def _collect(due: list[tuple[uuid.UUID, str]]) -> int:
    late = client().late_results([key for _, key in due])
    attached = 0
    for check_id, key in due:
        results = late.get(key, {})
        try:
            attached += bool(results) and attach_late_results(check_id, results)
        except DatabaseError as error:
            # One check that can not take its results must not keep all others from theirs.
            log.error("check %s: late results were not attached: %s", check_id, type(error).__name__)
    return attached
