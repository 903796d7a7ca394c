from __future__ import annotations

import pytest

from review.errors import InvalidAnswer
from review.models import Decision, ReviewItem
from review.services import claim_items
from tests.factories import Cast
from tests.review.working import another, answer, claim_one, member, new_item, queue_of
from webapp.accounts.models import Role


def review(cast: Cast, outcomes: list[str], **fields: object) -> ReviewItem:
    """Let as many reviewers answer the next item as there are outcomes."""
    item = ReviewItem.objects.get()
    for number, outcome in enumerate(outcomes):
        who = another(cast, f"r{number}")
        answer(claim_one(cast, who), who, outcome, **fields)
    item.refresh_from_db()
    return item


@pytest.mark.parametrize(
    ("required", "answers", "decided"),
    [
        (1, ["release"], ("release", "single")),
        (2, ["block", "block"], ("block", "consensus")),
        (2, ["block", "release", "block"], ("block", "consensus")),
        (1, ["", "release", "release"], ("release", "consensus")),
        (3, ["redact", "redact", "release"], ("redact", "consensus")),
    ],
)
def test_enough_agreement_decides(cast: Cast, required: int, answers: list[str], decided: tuple[str, str]) -> None:
    queue_of(cast, required_reviews=required)
    new_item(cast)
    item = review(cast, answers)
    assert item.state == "decided"
    decision = Decision.objects.get()
    assert (decision.outcome, decision.method) == decided


@pytest.mark.parametrize(
    ("required", "answers"), [(2, ["block", "release"]), (1, [""]), (1, ["", "release"]), (2, ["block"])]
)
def test_disagreement_and_doubt_ask_one_more(cast: Cast, required: int, answers: list[str]) -> None:
    queue_of(cast, required_reviews=required)
    new_item(cast)
    item = review(cast, answers)
    assert item.state == "in_review"
    assert item.assignments.filter(state="open").count() == 1


@pytest.mark.parametrize("answers", [["block", "release", "redact"], ["", "", "release"], ["block", "release", ""]])
def test_after_the_last_slot_a_lead_decides(cast: Cast, answers: list[str]) -> None:
    queue_of(cast, required_reviews=2)
    new_item(cast)
    item = review(cast, answers)
    assert item.state == "adjudication"
    assert claim_items(queue=queue_of(cast), membership=another(cast, "late")) == []
    lead = member(cast, cast.lead)
    slot = claim_one(cast, lead)
    with pytest.raises(InvalidAnswer):
        answer(slot, lead, "")
    answer(slot, lead, "release")
    decision = item.decisions.get()
    assert (decision.outcome, decision.method, decision.decided_by) == ("release", "adjudicated", cast.lead)


def test_a_lead_who_answered_before_does_not_adjudicate(cast: Cast) -> None:
    queue_of(cast, required_reviews=2, max_reviews=2)
    new_item(cast)
    lead, reviewer = member(cast, cast.lead), member(cast, cast.reviewer)
    answer(claim_one(cast, lead), lead, "block")
    answer(claim_one(cast, reviewer), reviewer, "release")
    assert claim_items(queue=queue_of(cast), membership=lead) == []
    assert claim_one(cast, another(cast, "other lead", Role.LEAD)).role == "adjudicator"


def test_in_doubt_a_place_stays_redacted(cast: Cast) -> None:
    queue_of(cast, required_reviews=2)
    output = "Ann: ann@example.com, Bob: bob@example.com"
    at = [output.index(name) for name in ("ann@", "bob@")]
    item = new_item(
        cast,
        output=output,
        findings=[
            {"rule": "pii", "detector": "pii", "category": "EMAIL_ADDRESS", "score": 1.0, "action": "redact"}
            | {"start": start, "end": start + 15}
            for start in at
        ],
    )
    ann, bob = item.checked.findings.order_by("start")
    one, two = member(cast, cast.reviewer), another(cast, "second")
    answer(claim_one(cast, one), one, "redact", findings={ann.id: False})
    answer(claim_one(cast, two), two, "redact", findings={ann.id: False, bob.id: True})
    release = item.checked.releases.get()
    assert release.output == "Ann: ann@example.com, Bob: [EMAIL_ADDRESS]"
