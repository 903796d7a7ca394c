"""Decided items for tests, made as people make them: by checks, claims and answers. All texts are invented."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from typing import Any

from feedback.keys import keyed, project_key
from feedback.models import SplitLedger
from review.models import Queue, ReviewItem
from review.services import Answer, claim_items, submit_annotation
from review.services.raising import ensure_default_queue
from tests.factories import Cast, make_check
from webapp.accounts.models import Membership, User


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
    """Return the default queue, in which a decision takes effect at once."""
    queue = ensure_default_queue(project=cast.project)
    queue.undo_seconds = 0
    queue.save(update_fields=["undo_seconds"])
    return queue


def words(number: int) -> str:
    """Return an output that resembles no other of these."""
    return " ".join(f"w{(number * 7919 + i * 104729) % 99991}" for i in range(20))


def put(cast: Cast, conversation_id: str, split: str) -> None:
    """Make the ledger say that a conversation is in `split`, as if an earlier version had drawn it."""
    key = keyed(project_key(cast.project.id, "group"), "conversation", str(cast.application.id), conversation_id)
    SplitLedger.objects.create(project=cast.project, group_key=key.hex(), split=split)


def a_mixture(cast: Cast, *, splits: Sequence[str] = ("train", "validation", "test")) -> None:
    """Decide an item of every outcome in each of `splits`; every text has a character beyond the basic plane."""
    for split in splits:
        for number, outcome in enumerate(("replace", "release", "redact", "block")):
            name = f"{split}{number}"
            put(cast, name, split)
            decide_one(cast, outcome, name, number=len(name) + 10 * number + 100 * splits.index(split))


def decide_one(cast: Cast, outcome: str, conversation_id: str, *, number: int) -> ReviewItem:
    email = f"ann{number}@example.com"
    text = f"😀 {words(number)} Write to {email}, you fool."
    mine = f"bob{number}@example.org"
    question = f"How do I reach Ann? I am 🦉 {mine}."
    check: dict[str, Any] = {
        "output": text,
        "conversation_id": conversation_id,
        "messages": [{"role": "system", "content": "Be kind."}, {"role": "user", "content": question}],
        "findings": [
            finding("harassment", "moderation", score=0.85, threshold=0.8, action="hold"),
            finding("EMAIL_ADDRESS", "pii", start=text.index(email), end=text.index(email) + len(email)),
            finding(
                "EMAIL_ADDRESS",
                "pii",
                target="messages.1",
                start=question.index(mine),
                end=question.index(mine) + len(mine),
            ),
        ],
    }
    if outcome == "replace":
        return decide(cast, outcome=outcome, correction=f"{words(number)} Write to us.", kept=True, **check)
    if outcome == "release":
        return decide(cast, outcome=outcome, kept=False, labels={"violence": False}, **check)
    if outcome == "redact":
        return decide(cast, outcome=outcome, labels={"harassment": False}, **check)
    return decide(cast, outcome=outcome, kept=True, **check)


def finding(category: str, detector: str, **fields: Any) -> dict[str, Any]:
    return {"rule": detector, "detector": detector, "category": category, "score": 1.0, "action": "redact", **fields}
