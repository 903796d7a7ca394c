"""Asynchronous checks, the sweeper that nothing escapes, and late results. All safe to run twice."""

from __future__ import annotations

import datetime as dt
import uuid

import redis
from celery import shared_task
from django.db.models import DurationField, ExpressionWrapper, F, Value
from django.utils import timezone

from webapp.interception.models import Check, CheckState
from webapp.interception.screening import client
from webapp.interception.services import attach_late_results, conclude_pending
from workers.client import Overloaded

GRACE = dt.timedelta(seconds=5)
LATE_WINDOW = dt.timedelta(seconds=120)
SWEEP_LIMIT = 500


@shared_task(name="interception.conclude_check")
def conclude_check(check_id: str) -> None:
    """Give an accepted check its verdict. When the queues are full the sweeper sends it again."""
    try:
        conclude_pending(uuid.UUID(check_id))
    except Overloaded:
        return


@shared_task(name="interception.sweep_checks")
def sweep_checks() -> int:
    """Send again the checks that have no verdict after their deadline; return how many."""
    deadline = ExpressionWrapper(F("deadline_ms") * Value(dt.timedelta(milliseconds=1)), output_field=DurationField())
    overdue = (
        Check.objects.filter(state=CheckState.PENDING)
        .annotate(due=F("created_at") + deadline)
        .filter(due__lt=timezone.now() - GRACE)
        .order_by("created_at")
        .values_list("id", flat=True)[:SWEEP_LIMIT]
    )
    ids = list(overdue)
    for check_id in ids:
        conclude_check.delay(str(check_id))
    return len(ids)


@shared_task(name="interception.collect_late_results")
def collect_late_results() -> int:
    """Attach results that came after their check's deadline; return how many checks got some."""
    now = timezone.now()
    attached = 0
    for check in Check.objects.exclude(reply_key="").filter(state=CheckState.CONCLUDED)[:SWEEP_LIMIT]:
        reply_to, _, index = check.reply_key.partition("#")
        try:
            replies = client().late_replies(reply_to)
        except redis.RedisError:
            return attached  # the lists will be there next time, or are gone for good
        results = [rule for reply in replies for rule in reply.results[int(index)].rules]
        if results:
            attach_late_results(check.id, results)
            attached += 1
        if check.concluded_at and now - check.concluded_at > LATE_WINDOW:
            Check.objects.filter(pk=check.pk).update(reply_key="")
    return attached
