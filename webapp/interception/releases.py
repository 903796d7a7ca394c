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

    `output` is the text that goes out: None when `outcome` is blocked or the check has no output, else required.
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
        },
    )
    return release
