"""What a person's decision does to a check.

A release can wait: its row is an outbox, and nobody is told of it before its time. Whoever first finds it due (a
reader, the sweep) lets it out by an UPDATE, and whoever withdraws it deletes it, so that the row's lock says which came
first: what was withdrawn was never told to anybody.
"""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Sequence

from django.db import transaction

from webapp.interception.models import Check, Release, ReleaseOutcome, Verdict


@transaction.atomic
def record_release(
    *,
    check: Check,
    outcome: ReleaseOutcome,
    output: str | None,
    decision_id: uuid.UUID,
    decided_by: str,
    decided_at: dt.datetime,
    statement: str = "",
    waits_until: dt.datetime | None = None,
) -> Release:
    """Make a decision what the API answers for this check; the same decision twice is stored once.

    It does from now on, or from `waits_until` on, unless it is withdrawn before. `output` is the text that goes out:
    None when `outcome` is blocked or the check has no output, else required.
    """
    nothing_goes_out = outcome == ReleaseOutcome.BLOCKED or check.content.output is None
    if (output is None) != nothing_goes_out:
        raise ValueError("a blocked check and one without output release no text, every other one does")
    release, _ = Release.objects.get_or_create(
        decision_id=decision_id,
        defaults={
            "checked": check,
            "outcome": outcome,
            "output": output,
            "decided_by": decided_by,
            "decided_at": decided_at,
            "statement": statement,
            "waits_until": waits_until,
        },
    )
    return release


@transaction.atomic
def let_out(*, now: dt.datetime, among: Sequence[uuid.UUID] | None = None) -> list[uuid.UUID]:
    """Let out the releases (of those `among`) whose wait is over at `now`, and return their ids; twice is harmless."""
    # In one order, so that two who let out the same ones do not wait for each other.
    due = Release.objects.select_for_update().filter(waits_until__lte=now).order_by("id")
    if among is not None:
        due = due.filter(id__in=among)
    ids = list(due.values_list("id", flat=True))
    Release.objects.filter(id__in=ids).update(waits_until=None)
    return ids


def let_out_due(checks: Sequence[Check], *, now: dt.datetime) -> None:
    """Let out what of these checks is due, so that what is said is right without any worker; no query if nothing is.

    Reads and updates the checks' prefetched `releases`.
    """
    waiting = [release for check in checks for release in check.releases.all() if release.waits_until is not None]
    due = [release.id for release in waiting if release.waits_until is not None and release.waits_until <= now]
    if not due:
        return
    let_out(now=now, among=due)
    # Also what another request let out since we read it; what was withdrawn meanwhile is not there any more.
    out = set(Release.objects.filter(id__in=due, waits_until=None).values_list("id", flat=True))
    for release in waiting:
        if release.id in out:
            release.waits_until = None


def release_in_force(check: Check) -> Release | None:
    """Return the newest release of a check that is out; call `let_out_due` before."""
    return next((release for release in check.releases.all() if release.waits_until is None), None)


def withdraw_release(*, decision_id: uuid.UUID) -> bool:
    """Remove the release of a decision while it waits; False when it is out, or is not there."""
    deleted, _ = Release.objects.filter(decision_id=decision_id, waits_until__isnull=False).delete()
    return bool(deleted)


def is_out(check: Check, *, now: dt.datetime) -> bool:
    """Whether the application was already told that it may use something of this check."""
    for release in check.releases.all():
        if release.waits_until is None or release.waits_until <= now:
            return release.outcome != ReleaseOutcome.BLOCKED
    return check.verdict in (Verdict.ALLOW, Verdict.REDACT)
