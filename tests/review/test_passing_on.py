from __future__ import annotations

import pytest

from review.errors import InvalidAnswer, SlotLost
from review.models import Assignment, Exclusion, Mention
from review.services import claim_items, escalate, skip
from tests.factories import Cast
from tests.review.working import another, answer, claim_one, events, member, new_item, queue_of, run_out
from webapp.accounts.models import Membership


def skip_one(cast: Cast, who: Membership, reason: str = "unclear") -> Assignment:
    slot = claim_one(cast, who)
    assert slot.lease_token is not None
    skip(slot=slot, membership=who, lease_token=slot.lease_token, reason=reason)
    return slot


def test_a_skipped_item_never_comes_back_to_that_reviewer(cast: Cast) -> None:
    item = new_item(cast)
    reviewer = member(cast, cast.reviewer)
    slot = skip_one(cast, reviewer, "wrong language")
    assert claim_items(queue=queue_of(cast), membership=reviewer) == []
    assert claim_one(cast, another(cast, "second")).id == slot.id
    assert Exclusion.objects.get(item=item).reason == "wrong language"
    [event] = events("review.item.skipped")
    assert event["reason_codes"] == ["reason:wrong-language"]


def test_a_skip_needs_a_reason_of_the_queue(cast: Cast) -> None:
    new_item(cast)
    with pytest.raises(InvalidAnswer):
        skip_one(cast, member(cast, cast.reviewer), "because")
    assert not Exclusion.objects.exists()


def test_a_reason_whose_characters_become_many_is_recorded_short(cast: Cast) -> None:
    reason = "㉐" * 100
    queue_of(cast, skip_reasons=[reason])
    new_item(cast)
    reviewer = member(cast, cast.reviewer)
    slot = claim_one(cast, reviewer)
    assert slot.lease_token is not None
    skip(slot=slot, membership=reviewer, lease_token=slot.lease_token, reason=reason)
    [event] = events("review.item.skipped")
    assert event["reason_codes"] == ["reason:" + ("pte" * 34)[:100]]


def test_a_retaken_slot_can_not_be_skipped(cast: Cast) -> None:
    new_item(cast)
    reviewer = member(cast, cast.reviewer)
    slot = claim_one(cast, reviewer)
    run_out(slot)
    claim_one(cast, another(cast, "second"))
    assert slot.lease_token is not None
    with pytest.raises(SlotLost):
        skip(slot=slot, membership=reviewer, lease_token=slot.lease_token, reason="unclear")


def test_the_third_skipper_escalates_to_the_leads(cast: Cast) -> None:
    item = new_item(cast)
    for name in ("a", "b", "c"):
        skip_one(cast, another(cast, name))
    item.refresh_from_db()
    assert item.state == "escalated"
    assert claim_items(queue=queue_of(cast), membership=member(cast, cast.reviewer)) == []
    lead = member(cast, cast.lead)
    slot = claim_one(cast, lead)
    assert slot.role == "adjudicator"
    done = answer(slot, lead, "block")
    assert done.decision is not None
    assert done.decision.method == "adjudicated"
    [event] = events("review.item.escalated")
    assert event["actor"]["kind"] == "system"


def test_an_escalated_item_waits_for_a_lead_with_the_note(cast: Cast) -> None:
    item = new_item(cast)
    new_item(cast)
    reviewer = member(cast, cast.reviewer)
    slot = claim_one(cast, reviewer)
    assert slot.lease_token is not None
    escalate(slot=slot, membership=reviewer, lease_token=slot.lease_token, note="Ask the lawyers.")
    item.refresh_from_db()
    assert (item.state, item.escalation_note) == ("escalated", "Ask the lawyers.")
    assert claim_one(cast, member(cast, cast.owner)).role == "adjudicator"
    assert "lawyers" not in str(events("review.item.escalated"))


def test_who_was_at_it_when_it_was_escalated_is_heard_but_does_not_decide(cast: Cast) -> None:
    queue_of(cast, required_reviews=2)
    item = new_item(cast)
    reviewer, second = member(cast, cast.reviewer), another(cast, "second")
    slot, other = claim_one(cast, reviewer), claim_one(cast, second)
    assert slot.lease_token is not None
    escalate(slot=slot, membership=reviewer, lease_token=slot.lease_token, note="Hm.")
    done = answer(other, second)
    assert done.annotation.counts
    assert done.decision is None
    item.refresh_from_db()
    assert item.state == "escalated"


def test_whoever_escalates_asks_leads_and_nobody_else(cast: Cast) -> None:
    new_item(cast)
    reviewer = member(cast, cast.reviewer)
    another(cast, "second")
    slot = claim_one(cast, reviewer)
    token = slot.lease_token
    assert token is not None
    for refused in ({"note": ""}, {"note": "x" * 2001}, {"note": "Hm.", "ask": cast.outsider.id}):
        with pytest.raises(InvalidAnswer):
            escalate(slot=slot, membership=reviewer, lease_token=token, **refused)
    note = "@second or @lead: is this ours?"
    escalate(slot=slot, membership=reviewer, lease_token=token, note=note, ask=cast.owner.id)
    asked = Mention.objects.filter(item=slot.item, comment=None, author=cast.reviewer)
    assert {mention.user for mention in asked} == {cast.lead, cast.owner}
    [event] = events("review.item.escalated")
    assert set(event["cause"]) == {f"user:{cast.lead.id}", f"user:{cast.owner.id}"}


def test_two_who_escalate_one_item_are_both_read(cast: Cast) -> None:
    queue_of(cast, required_reviews=2)
    item = new_item(cast)
    people = member(cast, cast.reviewer), another(cast, "second")
    slots = [claim_one(cast, who) for who in people]
    for slot, who, note in zip(slots, people, ("Mine.", "And mine."), strict=True):
        assert slot.lease_token is not None
        escalate(slot=slot, membership=who, lease_token=slot.lease_token, note=note)
    item.refresh_from_db()
    assert item.escalation_note == "Mine.\n\nAnd mine."
    assert len(events("review.item.escalated")) == 2
