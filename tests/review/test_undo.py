"""A decision can be taken back until it takes effect; nothing was told to anybody before."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Any

import pytest

from review.errors import TooLate
from review.models import Assignment, Decision, ReviewItem
from review.services import (
    Submitted,
    Undone,
    claim_items,
    escalate,
    raise_item,
    release_slot,
    sweep_effects,
    undo_decision,
)
from review.services.submission import UNDONE
from review.signals import decision_recorded
from review.tasks import sweep_effects as sweep_task
from tests.factories import Cast
from tests.review.working import (
    another,
    answer,
    claim_one,
    effects_now,
    events,
    member,
    new_item,
    queue_of,
)
from webapp.accounts.models import Membership
from webapp.interception.models import Release
from webapp.interception.selectors import answers

OUTPUT = "You can reach Ann at ann@example.com, idiot."


def decide(cast: Cast, who: Membership | None = None, outcome: str = "release", **fields: Any) -> Decision:
    who = who or member(cast, cast.reviewer)
    decision = answer(claim_one(cast, who), who, outcome, **fields).decision
    assert decision is not None
    return decision


def undo(cast: Cast, decision: Decision) -> Undone:
    return undo_decision(decision=decision, membership=member(cast, cast.reviewer))


def told(item: ReviewItem) -> tuple[str | None, str | None, str | None]:
    """Return what the API says: verdict, output, state of the review."""
    [said] = answers([type(item.checked).objects.get(pk=item.checked_id)])
    return said.verdict, said.output, said.review.state if said.review else None


def hear(heard: list[Decision]) -> Any:
    def listen(sender: object, *, decision: Decision, **_: Any) -> None:
        heard.append(decision)

    return listen


def test_nobody_is_told_of_a_decision_while_it_can_be_taken_back(cast: Cast) -> None:
    item = new_item(cast)
    decision = decide(cast)
    assert told(item) == ("hold", None, "in_review")
    effects_now(decision)
    assert told(item) == ("allow", OUTPUT, "decided")


def test_an_answer_of_the_api_is_right_without_any_worker_and_stays(cast: Cast) -> None:
    item = new_item(cast)
    effects_now(decide(cast))
    assert [told(item), told(item)] == [("allow", OUTPUT, "decided")] * 2
    assert Release.objects.get().waits_until is None


def test_what_is_taken_back_is_as_it_was_before(cast: Cast) -> None:
    item = new_item(cast)
    decision = decide(cast, note="too quick")
    before = Assignment.objects.get().lease_token
    undone = undo(cast, decision)
    item.refresh_from_db()
    slot = Assignment.objects.get()
    assert undone.slot == slot
    assert (item.state, item.decided_at, slot.state, slot.lease_owner) == ("in_review", None, "leased", cast.reviewer)
    assert slot.lease_token not in (None, before)
    assert claim_one(cast, member(cast, cast.reviewer)) == slot
    assert claim_items(queue=queue_of(cast), membership=another(cast, "second")) == []
    assert told(item) == ("hold", None, "in_review")
    assert not Release.objects.exists()


def test_the_annotation_stays_and_the_next_one_supersedes_it(cast: Cast) -> None:
    item = new_item(cast)
    undo(cast, decide(cast, outcome="release", note="too quick"))
    second = decide(cast, outcome="block")
    first, again = item.annotations.order_by("created_at")
    assert (first.counts, first.rationale, again.counts, again.supersedes) == (False, "too quick", True, first)
    assert first.undone_at is not None
    assert list(item.decisions.standing()) == [second]
    effects_now(second)
    assert told(item) == ("block", None, "decided")


def test_both_are_in_the_log_and_name_the_same_decision(cast: Cast) -> None:
    new_item(cast)
    decision = decide(cast)
    undo(cast, decision)
    [made], [back] = events("review.decision.recorded"), events("review.decision.undone")
    assert made["cause"] == back["cause"] == [decision.item.checked.public_id, f"decision:{decision.id}"]
    assert made["outcome"] == back["outcome"]
    assert back["actor"]["ref"] == str(cast.reviewer.id)


def test_taking_back_twice_changes_nothing_more(cast: Cast) -> None:
    new_item(cast)
    decision = decide(cast)
    first, second = undo(cast, decision), undo(cast, decision)
    assert first.slot is not None
    assert second.slot == first.slot
    assert second.slot.lease_token == first.slot.lease_token
    assert len(events("review.decision.undone")) == 1


def test_an_older_tab_can_not_take_back_what_was_decided_anew(cast: Cast) -> None:
    item = new_item(cast)
    first = decide(cast)
    undo(cast, first)
    second = decide(cast, outcome="block")
    with pytest.raises(TooLate, match="moved on"):
        undo(cast, first)
    assert list(item.decisions.standing()) == [second]


def test_a_late_undo_is_told_what_happened(cast: Cast) -> None:
    item = new_item(cast)
    decision = decide(cast, outcome="redact")
    effects_now(decision)
    with pytest.raises(TooLate, match=r"the redacted output was released at \d\d:\d\d:\d\d UTC"):
        undo(cast, decision)
    assert told(item) == ("redact", "You can reach Ann at [EMAIL_ADDRESS], idiot.", "decided")


def test_what_was_told_already_is_not_taken_back_whatever_the_clock_says(cast: Cast) -> None:
    item = new_item(cast)
    decision = decide(cast)
    Release.objects.update(waits_until=None)  # another host, whose clock is ahead, let it out
    with pytest.raises(TooLate):
        undo(cast, decision)
    assert told(item)[:2] == ("allow", OUTPUT)


def test_only_who_decided_takes_it_back(cast: Cast) -> None:
    new_item(cast)
    decision = decide(cast)
    with pytest.raises(TooLate, match="Only who decided"):
        undo_decision(decision=decision, membership=member(cast, cast.lead))
    assert Decision.objects.standing().get() == decision


def test_the_same_submission_sent_again_after_the_undo_does_not_decide(cast: Cast) -> None:
    new_item(cast)
    reviewer = member(cast, cast.reviewer)
    slot, key = claim_one(cast, reviewer), uuid.uuid4()
    decision = answer(slot, reviewer, key=key).decision
    assert decision is not None
    undo(cast, decision)
    again: Submitted = answer(slot, reviewer, key=key)
    assert (again.decision, again.message) == (None, UNDONE)


def test_a_block_of_what_is_out_already_does_not_wait(cast: Cast) -> None:
    item = new_item(cast, verdict="allow", review="flagged")
    decision = decide(cast, outcome="block")
    assert told(item) == ("block", None, "decided")
    with pytest.raises(TooLate, match="the output was blocked"):
        undo(cast, decision)


def test_a_block_of_what_is_held_waits(cast: Cast) -> None:
    item = new_item(cast)
    undo(cast, decide(cast, outcome="block"))
    assert told(item) == ("hold", None, "in_review")


def test_a_consensus_is_taken_back_by_its_last_reviewer_alone(cast: Cast) -> None:
    queue_of(cast, required_reviews=2)
    item = new_item(cast)
    second = another(cast, "second")
    answer(claim_one(cast, second), second, "release")
    decision = decide(cast)
    with pytest.raises(TooLate, match="Only who decided"):
        undo_decision(decision=decision, membership=second)
    undo(cast, decision)
    assert item.annotations.get(reviewer=second.user).counts
    assert item.assignments.get(lease_owner=second.user).state == "submitted"
    assert decide(cast, outcome="release").method == "consensus"


def test_a_lead_s_decision_leaves_the_item_with_the_leads_and_whoever_was_at_it(cast: Cast) -> None:
    queue_of(cast, required_reviews=2)
    item = new_item(cast)
    at_work, reviewer, lead = another(cast, "second"), member(cast, cast.reviewer), member(cast, cast.lead)
    left = claim_one(cast, at_work)
    slot = claim_one(cast, reviewer)
    assert slot.lease_token is not None
    escalate(slot=slot, membership=reviewer, lease_token=slot.lease_token, note="Hm.")
    decision = decide(cast, lead, "block")
    left.refresh_from_db()
    assert left.state == "void"
    undo_decision(decision=decision, membership=lead)
    item.refresh_from_db()
    left.refresh_from_db()
    assert (item.state, left.state, left.lease_owner) == ("escalated", "leased", at_work.user)
    assert answer(left, at_work).annotation.counts


def test_a_paused_queue_gives_the_item_back_all_the_same(cast: Cast) -> None:
    new_item(cast)
    decision = decide(cast)
    queue_of(cast, paused=True)
    undone = undo(cast, decision)
    assert claim_items(queue=queue_of(cast), membership=member(cast, cast.reviewer)) == [undone.slot]


def test_an_item_taken_back_can_be_given_to_somebody_else(cast: Cast) -> None:
    new_item(cast)
    slot = undo(cast, decide(cast)).slot
    assert slot is not None
    assert slot.lease_token is not None
    release_slot(slot=slot, user=cast.reviewer, lease_token=slot.lease_token)
    second = another(cast, "second")
    assert decide(cast, second).decided_by == second.user


def test_a_late_result_meanwhile_leaves_one_open_item(cast: Cast) -> None:
    item = new_item(cast)
    decision = decide(cast)
    newer = raise_item(check=item.checked, kind="late")
    assert newer != item
    undone = undo(cast, decision)
    item.refresh_from_db()
    assert (undone.slot, item.state) == (None, "cancelled")
    assert "another item" in undone.message
    assert told(item) == ("hold", None, "pending")


@pytest.mark.parametrize("sweep", [sweep_effects, sweep_task])
def test_rooms_above_hear_of_a_decision_once_and_only_when_it_holds(cast: Cast, sweep: Any) -> None:
    heard: list[Decision] = []
    listener = hear(heard)
    decision_recorded.connect(listener)
    try:
        new_item(cast)
        undo(cast, decide(cast))
        kept = decide(cast)
        assert sweep() == 0
        for decision in Decision.objects.all():
            effects_now(decision)
        assert (sweep(), sweep()) == (1, 0)
    finally:
        decision_recorded.disconnect(listener)
    assert heard == [kept]
    assert Release.objects.get().waits_until is None


def test_a_decision_that_fails_to_take_effect_stays_due_and_holds_up_no_other(cast: Cast) -> None:
    def fail(decision: Decision, **_: object) -> None:
        if decision == first:
            raise RuntimeError

    for _ in range(2):
        new_item(cast)
    first, second = decide(cast), decide(cast)
    for decision in (first, second):
        effects_now(decision)
    Decision.objects.filter(pk=first.pk).update(waits_until=second.created_at - dt.timedelta(hours=1))
    decision_recorded.connect(fail)
    try:
        with pytest.raises(RuntimeError):
            sweep_effects()
    finally:
        decision_recorded.disconnect(fail)
    assert list(Decision.objects.filter(waits_until=None)) == [second]
    assert sweep_effects() == 1
    assert not Decision.objects.exclude(waits_until=None).exists()
