"""What a person's decision does to a check."""

from __future__ import annotations

import datetime as dt
import uuid

from django.db import transaction

from webapp.interception.models import Check, Release, ReleaseOutcome


@transaction.atomic
def record_release(
    *,
    check: Check,
    outcome: ReleaseOutcome,
    output: str | None,
    decision_id: uuid.UUID,
    decided_by: str,
    decided_at: dt.datetime,
) -> Release:
    """Make a decision what the API answers for this check from now on; the same decision twice is stored once.

    `output` is the text that goes out: required unless `outcome` is blocked, and None then.
    """
    if (output is None) != (outcome == ReleaseOutcome.BLOCKED):
        raise ValueError("a blocked check has no output, every other outcome has one")
    release, _ = Release.objects.get_or_create(
        decision_id=decision_id,
        defaults={
            "checked": check,
            "outcome": outcome,
            "output": output,
            "decided_by": decided_by,
            "decided_at": decided_at,
        },
    )
    return release
