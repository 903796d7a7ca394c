"""Decisions that are looked at again, as tests make them."""

from __future__ import annotations

from typing import Any

from review.models import Assignment, QAReview, ReviewItem
from review.services import Judgement, submit_qa, sweep_effects
from tests.factories import Cast
from tests.review.working import answer, claim_one, effects_now, new_item, queue_of
from webapp.accounts.models import Membership


def decided(cast: Cast, who: Membership, outcome: str = "release", **fields: Any) -> ReviewItem:
    queue_of(cast, qa_rate=1.0)
    item = new_item(cast)
    done = answer(claim_one(cast, who), who, outcome, **fields)
    assert done.decision is not None
    effects_now(done.decision)
    sweep_effects()
    item.refresh_from_db()
    return item


def judge(slot: Assignment | None, who: Membership, outcome: str, severity: str = "", **more: Any) -> QAReview:
    assert slot is not None
    assert slot.lease_token is not None
    note = more.pop("note", "It was not." if severity else "")
    said = Judgement(outcome=outcome, severity=severity, note=note, **more)
    return submit_qa(slot=slot, membership=who, lease_token=slot.lease_token, judgement=said)
