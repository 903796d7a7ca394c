"""Store concluded checks: those of concurrent requests in one transaction, so that they share its commit."""

from __future__ import annotations

import datetime as dt
import random
from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import dataclass

from django.db import IntegrityError, connection, transaction
from django.db.models import Q
from django.utils import timezone

from policies.services import policy_ref
from webapp.audit.log import EventObject, EventOutcome, NewEvent, event_row
from webapp.bulk import insert
from webapp.interception.models import Check, CheckState, Finding
from webapp.interception.rows import Intake, actor_of, content_row, finding_row, new_check
from webapp.interception.screening import Screened
from webapp.interception.signals import check_flagged
from webapp.waits import waited_too_long


class IdempotencyConflict(Exception):
    """The key was used before for another request."""


@dataclass(frozen=True, slots=True)
class Concluded:
    """What was asked at `created`, and what came of it."""

    intake: Intake
    screened: Screened
    created: dt.datetime


def stored_answer(intake: Intake) -> Check | None:
    """Return the check that the same key made before; None when there is none. Raises IdempotencyConflict."""
    (found,) = stored_answers([intake])
    if isinstance(found, IdempotencyConflict):
        raise found
    return found


def stored_answers(intakes: Sequence[Intake]) -> list[Check | IdempotencyConflict | None]:
    """Return, in order, the checks that the same keys made before, by one query at the most."""
    wanted = Q()
    for intake in intakes:
        if intake.idempotency_key is not None:
            wanted |= Q(application=intake.application, idempotency_key=intake.idempotency_key)
    found = {(c.application_id, c.idempotency_key): c for c in Check.objects.filter(wanted)} if wanted else {}
    return [_same(found.get((intake.application.id, intake.idempotency_key)), intake) for intake in intakes]


def _same(check: Check | None, intake: Intake) -> Check | IdempotencyConflict | None:
    if check is not None and check.request_sha256 != intake.sha256:
        return IdempotencyConflict()
    return check


def twin_of(intake: Intake, refused: IntegrityError) -> Check:
    """Return what a request with the same key stored since we looked: its verdict is the verdict."""
    twin = stored_answer(intake)
    if twin is None:
        raise refused
    return twin


def store(concluded: list[Concluded]) -> list[Check | IdempotencyConflict]:
    """Store checks, and return each, or what its key was used for before, once they are safe on disk."""
    outcomes: list[Check | IdempotencyConflict] = []
    for outcome in store_each(concluded):
        if isinstance(outcome, Exception) and not isinstance(outcome, IdempotencyConflict):
            raise outcome
        outcomes.append(outcome)
    return outcomes


def store_each(concluded: Sequence[Concluded]) -> list[Check | Exception]:
    """Store checks in one transaction if it may be, and return what became of each, once they are safe on disk.

    Raises django.db.DatabaseError when the connection broke or waited too long. One that waits too long alone is
    followed by none: what became of it is what becomes of those after it.
    """
    try:
        return [*_store_all(concluded)]
    except Exception as error:
        # One of them may be to blame, and must not cost the others their answers. A connection that broke is nobody's
        # fault, and whether the transaction was committed is not known: stored twice would be worse than refused. And
        # what all waited for in vain, each would wait for again.
        if waited_too_long(error) or not connection.is_usable():
            raise
    outcomes: list[Check | Exception] = []
    for one in concluded:
        last = outcomes[-1] if outcomes else None
        outcomes.append(last if isinstance(last, Exception) and waited_too_long(last) else _store_one(one))
    return outcomes


def _store_one(concluded: Concluded) -> Check | Exception:
    try:
        return _store_all([concluded])[0]
    except IntegrityError as error:
        try:
            return twin_of(concluded.intake, error)
        except (IdempotencyConflict, IntegrityError) as refused:
            return refused
    except Exception as error:  # noqa: BLE001 - it goes to its own caller, the others are stored
        return error


def _store_all(concluded: Sequence[Concluded]) -> list[Check]:
    checks = [new_check(one.intake, one.created) for one in concluded]
    kinds = [conclude(check, one.screened) for check, one in zip(checks, concluded, strict=True)]
    both = list(zip(checks, concluded, strict=True))
    contents = [content_row(check, one.intake, one.screened.conclusion.output) for check, one in both]
    found = [finding for check, one in both for finding in attach_findings(check, one.screened)]
    events = [event_row(concluded_event(check, one.screened)) for check, one in both]
    # One statement is a transaction of its own, without the two calls for its beginning and its end.
    whole = any(kinds) or connection.in_atomic_block
    with transaction.atomic() if whole else nullcontext():
        insert(checks, contents, found, events)
        for check, kind in zip(checks, kinds, strict=True):
            tell_reviewers(check, kind)
    return checks


def conclude(check: Check, screened: Screened) -> str:
    """Give a check its verdict, not stored yet, and return why a person should see it, "" when none should."""
    conclusion = screened.conclusion
    check.state = CheckState.CONCLUDED
    check.verdict = conclusion.verdict
    check.flagged = conclusion.flagged
    check.unscanned = [
        {"rule": rule, "reason": reason} | ({"awaits": queues} if (queues := screened.awaited.get(rule)) else {})
        for rule, reason in conclusion.unscanned
    ]
    check.scores = screened.scores
    check.model_version = screened.model
    check.reply_key = screened.reply_key
    check.timings = screened.timings
    check.concluded_at = timezone.now()
    kind = _review_kind(check)
    check.raised = bool(kind)
    return kind


def attach_findings(check: Check, screened: Screened) -> list[Finding]:
    """Return the findings of a conclusion, not stored yet, at hand for the answer as if they were prefetched."""
    rows = [finding_row(check, hit) for hit in screened.conclusion.findings]
    check._prefetched_objects_cache = {"findings": rows, "releases": []}  # type: ignore[attr-defined]  # not in the stubs
    return rows


def tell_reviewers(check: Check, kind: str) -> None:
    """Send the news, in the transaction that stores it, that a check needs a person, unless `kind` is empty."""
    if kind:
        check_flagged.send(sender=Check, check=check, kind=kind, inclusion_prob=check.inclusion_prob)


def concluded_event(check: Check, screened: Screened) -> NewEvent:
    conclusion = screened.conclusion
    return NewEvent(
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


def _review_kind(check: Check) -> str:
    """Return why a person should see this check, "" when none should; notes the probability that it was drawn with."""
    if check.verdict == "hold":
        return "held"
    if check.flagged and check.verdict != "block":
        return "flagged"
    if check.compared_with_id is not None:
        return "compared"
    rate = check.application.project.random_review_rate
    if random.random() >= rate:  # noqa: S311 - a statistical sample, not a secret
        return ""
    check.inclusion_prob = rate
    return "sampled"
