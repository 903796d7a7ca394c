"""Golden items of tests: made of a decided item, and put before reviewers."""

from __future__ import annotations

from typing import Any

from review.models import GoldenItem, ReviewItem
from review.services import make_golden, sweep_effects
from tests.factories import Cast
from tests.review.working import answer, claim_one, effects_now, member, new_item, queue_of


def decided(cast: Cast, **check: Any) -> ReviewItem:
    """Return an item that a lead blocked, for good."""
    lead = member(cast, cast.lead)
    item = new_item(cast, **check)
    done = answer(claim_one(cast, lead), lead, "block")
    assert done.decision is not None
    effects_now(done.decision)
    sweep_effects()
    item.refresh_from_db()
    return item


def golden_of(cast: Cast, item: ReviewItem, **expected: Any) -> GoldenItem:
    right: dict[str, Any] = {"outcome": "block", "labels": {}, "spans": [], "note": ""} | expected
    return make_golden(item=item, membership=member(cast, cast.lead), **right)


def probe_of(cast: Cast, golden: GoldenItem) -> ReviewItem:
    """Let an item come in with a probe beside it, and take it away again."""
    queue_of(cast, golden_rate=1.0)
    beside = new_item(cast)
    queue_of(cast, golden_rate=0.0)
    beside.assignments.update(state="void")
    return ReviewItem.objects.get(golden=golden, state="pending")


def finish(done: Any) -> None:
    assert done.decision is not None
    effects_now(done.decision)
    sweep_effects()
