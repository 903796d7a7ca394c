"""What the API says of a check's review."""

from __future__ import annotations

from tests.factories import Cast, make_check
from tests.review.working import answer, claim_one, member, queue_of
from webapp.interception.selectors import answers


def test_the_api_names_the_review_item_and_its_state(cast: Cast) -> None:
    queue_of(cast, undo_seconds=0)
    check = make_check(cast)
    waiting = answers([check])[0].review
    assert waiting is not None
    assert waiting.id.startswith("rvw_")
    assert waiting.state == "pending"
    assert waiting.url.endswith(f"/p/{cast.project.slug}/review/items/{waiting.id}/")
    reviewer = member(cast, cast.reviewer)
    answer(claim_one(cast, reviewer), reviewer, "release")
    decided = answers([check])[0].review
    assert decided is not None
    assert (decided.id, decided.state) == (waiting.id, "decided")


def test_a_check_that_nobody_needs_to_see_has_no_review(cast: Cast) -> None:
    check = make_check(cast, verdict="allow", flagged=False, findings=[], review="")
    assert answers([check])[0].review is None
