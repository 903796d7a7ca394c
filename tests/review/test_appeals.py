"""What was decided is contested, and decided again by somebody who had nothing to do with it."""

from __future__ import annotations

from typing import Any

import pytest

from review.errors import InvalidAnswer, NotContestable, TooManyAppeals
from review.models import Appeal, AppealText, Assignment, Decision, Exclusion, ReviewItem
from review.services import (
    AppealRequest,
    Judgement,
    claim_items,
    claim_qa,
    escalate,
    make_appeal,
    make_golden,
    raise_item,
    reopen,
    skip,
    submit_qa,
    undo_decision,
)
from review.services import appeal_limits as limits
from tests.factories import Cast, make_check
from tests.review.working import another, answer, claim_one, effects_now, events, member, new_item, queue_of
from webapp.accounts.models import Membership
from webapp.interception.models import Check, CheckContent
from webapp.interception.selectors import answers
from webapp.interception.storing import IdempotencyConflict

REASON = "It was a quotation, says Ann."


@pytest.fixture
def item(cast: Cast) -> ReviewItem:
    """Return an item that the reviewer blocked."""
    queue_of(cast, undo_seconds=0, required_reviews=2)
    made = new_item(cast)
    for user in (cast.reviewer, cast.lead):
        who = member(cast, user)
        answer(claim_one(cast, who), who, "block", note="An insult.")
    return ReviewItem.objects.get(pk=made.pk)


def contest(cast: Cast, check: Check, reason: str = REASON, **fields: str) -> Appeal:
    wanted = AppealRequest(reason=reason, **fields)
    appeal, _ = make_appeal(check=check, application=cast.application, wanted=wanted)
    return appeal


def decide(cast: Cast, outcome: str = "release", who: Membership | None = None) -> Decision:
    who = who or another(cast, "second")
    decision = answer(claim_one(cast, who), who, outcome).decision
    assert decision is not None
    return decision


def verdict(check: Check) -> str | None:
    [said] = answers([Check.objects.get(pk=check.pk)])
    return said.verdict


def test_one_person_decides_it_and_what_they_say_supersedes(cast: Cast, item: ReviewItem) -> None:
    appeal = contest(cast, item.checked)
    assert (verdict(item.checked), appeal.state) == ("block", "pending")
    slot = Assignment.objects.get(item=item, state="open")
    assert slot.role == "appeal"
    decision = decide(cast)
    appeal = Appeal.objects.get()
    assert (appeal.state, appeal.decision, verdict(item.checked)) == ("reversed", decision, "allow")
    assert decision.supersedes is not None
    assert (decision.method, decision.cycle, decision.supersedes) == ("appeal", 2, appeal.contested)


def test_nobody_who_answered_it_gets_it(cast: Cast, item: ReviewItem) -> None:
    contest(cast, item.checked)
    for user in (cast.reviewer, cast.lead):
        assert claim_items(queue=queue_of(cast), membership=member(cast, user)) == []
    assert claim_one(cast, member(cast, cast.owner)).item_id == item.id


@pytest.mark.parametrize(
    ("machine", "outcome", "state"),
    [
        ("block", "block", "upheld"),
        ("block", "release", "reversed"),
        ("allow", "release", "upheld"),
        ("allow", "redact", "reversed"),
        ("hold", "block", "upheld"),
        ("hold", "redact", "reversed"),
    ],
)
def test_it_is_upheld_if_what_goes_out_is_the_same(cast: Cast, machine: str, outcome: str, state: str) -> None:
    queue_of(cast, undo_seconds=0)
    check = make_check(cast, verdict=machine, flagged=False, review="")
    contest(cast, check)
    decide(cast, outcome)
    assert Appeal.objects.get().state == state


def test_what_the_machine_decided_alone_becomes_an_item_for_one_person(cast: Cast) -> None:
    queue_of(cast, required_reviews=2)
    check = make_check(cast, verdict="block", review="")
    appeal = contest(cast, check)
    made = ReviewItem.objects.get()
    assert [slot.role for slot in made.assignments.all()] == ["appeal"]
    assert [trigger.kind for trigger in made.triggers.all()] == ["appeal"]
    assert (appeal.item, appeal.contested, appeal.contested_outcome) == (made, None, "blocked")


def test_while_it_can_be_taken_back_it_is_pending(cast: Cast, item: ReviewItem) -> None:
    queue_of(cast, undo_seconds=10)
    contest(cast, item.checked)
    second = another(cast, "second")
    decision = decide(cast, who=second)
    assert (Appeal.objects.get().state, verdict(item.checked)) == ("pending", "block")
    undo_decision(decision=decision, membership=second)
    appeal = Appeal.objects.get()
    assert (appeal.outcome, appeal.decision) == ("", None)
    effects_now(decide(cast, "block", who=second))
    assert Appeal.objects.get().state == "upheld"


def test_a_second_item_takes_the_appeal_over_when_it_comes_while_one_is_taken_back(cast: Cast) -> None:
    item = new_item(cast)
    reviewer = member(cast, cast.reviewer)
    decided = answer(claim_one(cast, reviewer), reviewer, "block").decision
    assert decided is not None
    effects_now(decided)
    contest(cast, item.checked)
    second = another(cast, "second")
    decision = decide(cast, who=second)
    newer = raise_item(check=item.checked, kind="late", queue=item.queue)
    assert newer != item
    assert undo_decision(decision=decision, membership=second).slot is None
    assert Appeal.objects.get().item == newer
    assert claim_items(queue=queue_of(cast), membership=reviewer) == []
    effects_now(decide(cast, who=second))
    assert (Appeal.objects.get().state, newer.decisions.get().method) == ("reversed", "appeal")


def test_who_decides_it_is_sure(cast: Cast, item: ReviewItem) -> None:
    contest(cast, item.checked)
    second = another(cast, "second")
    slot = claim_one(cast, second)
    with pytest.raises(InvalidAnswer, match="You decide this appeal"):
        answer(slot, second, "")


def test_escalated_or_skipped_too_often_a_lead_decides_it_who_did_not_before(cast: Cast, item: ReviewItem) -> None:
    contest(cast, item.checked)
    for name in ("second", "third", "fourth"):
        who = another(cast, name)
        slot = claim_one(cast, who)
        assert slot.lease_token is not None
        skip(slot=slot, membership=who, lease_token=slot.lease_token, reason="unclear")
    assert claim_items(queue=queue_of(cast), membership=member(cast, cast.lead)) == []
    decision = decide(cast, who=member(cast, cast.owner))
    assert (decision.method, Appeal.objects.get().state) == ("appeal", "reversed")


def test_an_escalated_one_stays_pending(cast: Cast, item: ReviewItem) -> None:
    contest(cast, item.checked)
    who = another(cast, "second")
    slot = claim_one(cast, who)
    assert slot.lease_token is not None
    escalate(slot=slot, membership=who, lease_token=slot.lease_token, note="Hm.")
    assert Appeal.objects.get().state == "pending"
    assert claim_one(cast, member(cast, cast.owner)).role == "adjudicator"


def test_a_decision_is_contested_once(cast: Cast, item: ReviewItem) -> None:
    contest(cast, item.checked)
    with pytest.raises(NotContestable, match="not decided yet"):
        contest(cast, item.checked)
    decide(cast, "block")
    with pytest.raises(NotContestable, match="final"):
        contest(cast, item.checked)


def test_what_leads_decide_after_an_appeal_can_be_contested_again(cast: Cast, item: ReviewItem) -> None:
    contest(cast, item.checked)
    second = another(cast, "second")
    decide(cast, who=second)
    queue_of(cast, required_reviews=1)
    item.refresh_from_db()
    reopen(item=item, membership=member(cast, cast.lead), reason="The new policy.")
    third = another(cast, "third")
    assert decide(cast, "block", who=third).method == "single"
    assert contest(cast, item.checked).cycle == 4
    assert set(Exclusion.objects.values_list("reviewer", flat=True)) >= {cast.reviewer.id, second.user_id}
    assert claim_items(queue=queue_of(cast), membership=third) == []


@pytest.mark.parametrize("review", ["held", ""])
def test_what_is_not_decided_is_not_contested(cast: Cast, review: str) -> None:
    check = make_check(cast, review=review)
    if not review:
        Check.objects.update(state="pending", verdict="", concluded_at=None)
    with pytest.raises(NotContestable, match="not decided yet" if review else "no verdict"):
        contest(cast, check)
    assert Appeal.objects.count() == 0


def test_a_golden_item_before_reviewers_does_not_stop_an_appeal(cast: Cast, item: ReviewItem) -> None:
    right: dict[str, Any] = {"outcome": "block", "labels": {}, "spans": [], "note": ""}
    make_golden(item=item, membership=member(cast, cast.lead), **right)
    fresh = another(cast, "fresh")
    queue_of(cast, golden_rate=1.0, required_reviews=1)
    new_item(cast).assignments.update(state="void")
    probe = ReviewItem.objects.get(golden__source=item)
    probe.assignments.update(state="void")
    queue_of(cast, golden_rate=0.0)
    assert probe.state == "pending"
    assert contest(cast, item.checked).item == item
    decide(cast, who=fresh)
    assert Appeal.objects.get().state == "reversed"


def test_who_looked_at_the_decision_again_does_not_get_it(cast: Cast) -> None:
    queue_of(cast, undo_seconds=0, qa_rate=1.0)
    item = new_item(cast)
    decide(cast, "block", who=member(cast, cast.reviewer))
    lead = member(cast, cast.lead)
    slot = claim_qa(membership=lead)
    assert slot is not None
    assert slot.lease_token is not None
    same = Judgement(outcome="block", severity="", note="")
    submit_qa(slot=slot, membership=lead, lease_token=slot.lease_token, judgement=same)
    contest(cast, item.checked)
    away = set(item.exclusions.values_list("reviewer", flat=True))
    assert away == {cast.reviewer.id, cast.lead.id}


def test_a_decision_that_can_be_taken_back_is_not_contested(cast: Cast) -> None:
    item = new_item(cast)
    decide(cast, "block", who=member(cast, cast.reviewer))
    with pytest.raises(NotContestable, match="not decided yet"):
        contest(cast, item.checked)


def test_a_retry_gets_the_stored_one(cast: Cast, item: ReviewItem) -> None:
    first = contest(cast, item.checked, idempotency_key="k", end_user="u-1")
    assert contest(cast, item.checked, idempotency_key="k", end_user="u-1") == first
    with pytest.raises(IdempotencyConflict):
        contest(cast, item.checked, idempotency_key="k", end_user="u-2")
    other = make_check(cast, verdict="block", review="")
    with pytest.raises(IdempotencyConflict):
        contest(cast, other, idempotency_key="k", end_user="u-1")
    AppealText.objects.all().delete()
    assert contest(cast, item.checked, idempotency_key="k", end_user="u-1") == first


def test_there_is_a_limit_for_applications_and_for_end_users(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "PER_APPLICATION", 3)
    monkeypatch.setattr(limits, "PER_END_USER", 1)
    checks = [make_check(cast, verdict="block", review="") for _ in range(4)]
    contest(cast, checks[0], end_user="u-1")
    with pytest.raises(TooManyAppeals, match="This end user"):
        contest(cast, checks[1], end_user="u-1")
    contest(cast, checks[1], end_user="u-2")
    contest(cast, checks[2])
    with pytest.raises(TooManyAppeals, match="The application"):
        contest(cast, checks[3])


def test_the_audit_log_has_what_was_contested_and_what_came_of_it_and_no_word_of_why(
    cast: Cast, item: ReviewItem
) -> None:
    queue_of(cast, undo_seconds=10)
    appeal = contest(cast, item.checked, end_user="ann@example.com")
    second = another(cast, "second")
    undo_decision(decision=decide(cast, who=second), membership=second)
    [made] = events("review.appeal.made")
    assert (made["actor"]["kind"], made["object"]["id"]) == ("application", str(appeal.id))
    subject = ["contested:person", "rule:moderation", "rule:pii"]
    assert made["reason_codes"] == sorted(["by:end_user", "outcome:blocked", *subject])
    decided = [event for event in events("review.decision.recorded") if "method:appeal" in event["reason_codes"]]
    [undone] = events("review.decision.undone")
    assert {*subject, "appeal:reversed", f"appealed:{made['ts']}"} <= {*decided[0]["reason_codes"]}
    assert {*decided[0]["reason_codes"]} < {*undone["reason_codes"]}
    assert not any(word in str([made, *decided, undone]) for word in ("quotation", "Ann", "example"))


def test_without_texts_it_is_still_decided(cast: Cast, item: ReviewItem) -> None:
    contest(cast, item.checked)
    AppealText.objects.all().delete()
    decide(cast)
    assert Appeal.objects.get().state == "reversed"
    assert CheckContent.objects.exists()
