"""Take in checks and conclude them. Writes only; a verdict is stored before it is answered."""

from __future__ import annotations

import datetime as dt
import logging
import random
import uuid
from collections.abc import Sequence

from django.db import IntegrityError, transaction
from django.utils import timezone
from kombu.exceptions import OperationalError

from policies.services import policy_ref
from webapp.audit.log import EventObject, EventOutcome, record_event
from webapp.celery import app as control
from webapp.interception.models import Check, CheckContent, CheckState, Finding
from webapp.interception.rows import Intake, actor_of, content_row, finding_row, new_check
from webapp.interception.screening import Screened, client, conclude_job, make_job
from webapp.interception.signals import check_flagged

log = logging.getLogger(__name__)

#: Asynchronous checks of one project that may wait for their verdicts.
MAX_PENDING = 5_000


class IdempotencyConflict(Exception):
    """The key was used before for another request."""


class TooManyPending(Exception):
    """As many asynchronous checks of the project wait as may: nothing was accepted; try again in `retry_after` s."""

    retry_after = 5


def stored_answer(intake: Intake) -> Check | None:
    """Return the check that the same key made before; None when there is none. Raises IdempotencyConflict."""
    if intake.idempotency_key is None:
        return None
    check = Check.objects.filter(application=intake.application, idempotency_key=intake.idempotency_key).first()
    if check is not None and check.request_sha256 != intake.sha256:
        raise IdempotencyConflict
    return check


def run_checks(intakes: Sequence[Intake]) -> list[Check | IdempotencyConflict]:
    """Screen and store `intakes` together and return what became of each, in order.

    Raises workers.client.Overloaded, and then nothing was accepted.
    """
    created = timezone.now()
    jobs = [make_job(intake.version, intake.request.output, intake.messages, intake.deadline_ms) for intake in intakes]
    concluded = [
        conclude_job(job, intake.application.project_id, screening)
        for job, intake, screening in zip(jobs, intakes, client().screen(jobs), strict=True)
    ]
    return [_store_or_find(intake, screened, created) for intake, screened in zip(intakes, concluded, strict=True)]


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
        return _twin(intake, error)


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
    job = make_job(check.policy_version, check.content.output, check.content.messages, check.deadline_ms)
    (screening,) = client().screen([job])
    screened = conclude_job(job, check.project_id, screening)
    with transaction.atomic():
        locked = Check.objects.select_for_update().filter(pk=check_id, state=CheckState.PENDING).exists()
        if not locked:
            return  # another worker was first; its verdict stands
        _conclude(check, screened)
        check.save()
        CheckContent.objects.filter(pk=check.pk).update(released=screened.conclusion.output)
        _after_conclusion(check, screened)


def _store_or_find(intake: Intake, screened: Screened, created: dt.datetime) -> Check | IdempotencyConflict:
    try:
        with transaction.atomic():
            return _store(intake, screened, created)
    except IntegrityError as error:
        try:
            return _twin(intake, error)
        except IdempotencyConflict as conflict:
            return conflict


def _twin(intake: Intake, refused: IntegrityError) -> Check:
    """Return what a request with the same key stored since we looked: its verdict is the verdict."""
    twin = stored_answer(intake)
    if twin is None:
        raise refused
    return twin


def _store(intake: Intake, screened: Screened, created: dt.datetime) -> Check:
    check = new_check(intake, created)
    _conclude(check, screened)
    check.save(force_insert=True)
    content_row(check, intake, screened.conclusion.output).save(force_insert=True)
    _after_conclusion(check, screened)
    return check


def _conclude(check: Check, screened: Screened) -> None:
    conclusion = screened.conclusion
    check.state = CheckState.CONCLUDED
    check.verdict = conclusion.verdict
    check.flagged = conclusion.flagged
    check.unscanned = [{"rule": rule, "reason": reason} for rule, reason in conclusion.unscanned]
    check.scores = screened.scores
    check.model_version = screened.model
    check.reply_key = screened.reply_key
    check.timings = screened.timings
    check.concluded_at = timezone.now()


def _after_conclusion(check: Check, screened: Screened) -> None:
    """Write what goes with a verdict in its transaction: findings, the audit event, news for review."""
    conclusion = screened.conclusion
    rows = Finding.objects.bulk_create(finding_row(check, finding) for finding in conclusion.findings)
    # As if prefetched: what was stored is at hand for the answer.
    check._prefetched_objects_cache = {"findings": rows, "releases": []}  # type: ignore[attr-defined]  # not in the stubs
    assert check.concluded_at is not None  # noqa: S101 - for the type checker
    record_event(
        type="check.concluded",
        project_id=check.project_id,
        actor=actor_of(check.application),
        object=EventObject("check", check.id),
        outcome=EventOutcome(decision=check.verdict),
        policy=policy_ref(check.policy_version),
        model=check.model_version,
        reason_codes=[
            f"door:{check.door}",
            *(f"finding:{finding.rule}:{finding.action}" for finding in conclusion.findings),
            *(f"unscanned:{rule}" for rule, _ in conclusion.unscanned),
        ],
        ts=check.concluded_at,
    )
    kind = _review_kind(check)
    check.raised = bool(kind)
    if kind:
        check_flagged.send(sender=Check, check=check, kind=kind, inclusion_prob=check.inclusion_prob)


def _review_kind(check: Check) -> str:
    """Return why a person should see this check, "" when none should; notes the probability that it was drawn with."""
    if check.verdict == "hold":
        return "held"
    if check.flagged and check.verdict != "block":
        return "flagged"
    rate = check.application.project.random_review_rate
    if random.random() >= rate:  # noqa: S311 - a statistical sample, not a secret
        return ""
    check.inclusion_prob = rate
    check.save(update_fields=["inclusion_prob"])
    return "sampled"
