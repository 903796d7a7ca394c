"""Decided items for tests, made as people make them: by checks, claims and answers. All texts are invented."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import Any

from review.models import Queue, ReviewItem
from review.services import Answer, claim_items, submit_annotation
from review.services.raising import ensure_default_queue
from tests.factories import Cast, make_check
from webapp.accounts.models import Membership, User

FAREWELL = (
    "Thank you for asking; the shop at the corner opens at nine, and I hope this helps you on your way, number {}."
)


def decide(
    cast: Cast,
    *,
    outcome: str = "release",
    correction: str | None = None,
    kept: bool | None = None,
    labels: Mapping[str, bool] | None = None,
    by: User | None = None,
    **check: Any,
) -> ReviewItem:
    """Make a check, and let one reviewer decide it. `kept`: what they say of every finding, None for nothing."""
    made = make_check(cast, **check)
    item = ReviewItem.objects.get(checked=made)
    findings = {} if kept is None else {finding.id: kept for finding in made.findings.all()}
    answer(cast, Answer(outcome=outcome, correction=correction, findings=findings, labels=labels or {}), by=by)
    item.refresh_from_db()
    return item


def answer(cast: Cast, said: Answer, *, by: User | None = None) -> None:
    """Let a person claim the next item of the default queue and answer it."""
    member = Membership.objects.get(project=cast.project, user=by or cast.reviewer)
    slot = claim_items(queue=default_queue(cast), membership=member, k=1)[0]
    assert slot.lease_token is not None
    submit_annotation(
        slot=slot,
        membership=member,
        lease_token=slot.lease_token,
        item_version=slot.item.version,
        idempotency_key=uuid.uuid4(),
        answer=said,
    )


def default_queue(cast: Cast) -> Queue:
    return ensure_default_queue(project=cast.project)


def words(number: int) -> str:
    """Return an output that resembles no other of these."""
    return " ".join(f"w{(number * 7919 + i * 104729) % 99991}" for i in range(20))


def a_mixture(cast: Cast, *, n: int = 60) -> None:
    """Decide `n` items of every outcome, in conversations of their own."""
    for number in range(n):
        email = f"ann{number}@example.com"
        text = f"😀 {words(number)} Write to {email}, you fool."
        at = text.index(email)
        check = {
            "output": text,
            "messages": [
                {"role": "system", "content": "Be kind."},
                {"role": "user", "content": f"How do I reach Ann {number}? I am bob{number}@example.org."},
            ],
            "findings": [
                finding("harassment", "moderation", score=0.85, threshold=0.8, action="hold"),
                finding("EMAIL_ADDRESS", "pii", start=at, end=at + len(email)),
            ],
        }
        match number % 4:
            case 0:
                decide(cast, outcome="replace", correction=f"{words(number)} Write to our office.", kept=True, **check)
            case 1:
                decide(cast, outcome="release", kept=False, labels={"violence": False}, **check)
            case 2:
                decide(cast, outcome="redact", labels={"harassment": False}, **check)
            case _:
                decide(cast, outcome="block", kept=True, **check)


def finding(category: str, detector: str, **fields: Any) -> dict[str, Any]:
    return {"rule": detector, "detector": detector, "category": category, "score": 1.0, "action": "redact", **fields}
