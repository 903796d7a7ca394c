"""Holding, resuming, assigning and commenting at the same moment, each on a connection of its own."""

from __future__ import annotations

import uuid

import pytest

from review.errors import ReviewError
from review.models import Assignment, Comment, Mention
from review.services import assign, claim_items, hold, resume, sweep_assigned, sweep_holds, take_back
from review.services.comments import add_comment
from review.services.holding import HOLDS_EACH
from tests.factories import make_cast
from tests.review.working import another, answer, events, member, new_item, queue_of
from tests.threads import at_once

pytestmark = pytest.mark.django_db(transaction=True)


def test_many_tabs_hold_no_more_than_one_may() -> None:
    cast = make_cast()
    queue = queue_of(cast)
    for _ in range(HOLDS_EACH + 3):
        new_item(cast)
    reviewer = member(cast, cast.reviewer)
    slots = claim_items(queue=queue, membership=reviewer, k=HOLDS_EACH + 3)

    def keep(number: int) -> bool:
        slot = slots[number]
        assert slot.lease_token is not None
        try:
            hold(slot=slot, membership=reviewer, lease_token=slot.lease_token)
        except ReviewError:
            return False
        return True

    assert sum(at_once(keep, times=len(slots))) == HOLDS_EACH
    assert Assignment.objects.filter(state="held").count() == HOLDS_EACH
    assert len(events("review.item.held")) == HOLDS_EACH


def test_a_hold_is_resumed_in_two_tabs_and_answered_once() -> None:
    cast = make_cast()
    new_item(cast)
    reviewer = member(cast, cast.reviewer)
    [slot] = claim_items(queue=queue_of(cast), membership=reviewer, k=1)
    assert slot.lease_token is not None
    hold(slot=slot, membership=reviewer, lease_token=slot.lease_token)
    tokens = at_once(lambda _: resume(slot=slot, membership=reviewer).lease_token, times=4)
    assert len(set(tokens)) == 1
    slot = Assignment.objects.select_related("item").get(pk=slot.pk)
    counted = at_once(lambda _: answer(slot, reviewer).annotation.counts, times=2)
    assert sorted(counted) == [False, True]


def test_a_lead_and_reviewers_who_reach_for_the_same_slots_leave_each_with_one() -> None:
    cast = make_cast()
    queue = queue_of(cast)
    for _ in range(6):
        new_item(cast)
    people = [another(cast, f"r{number}") for number in range(3)]
    lead = member(cast, cast.lead)
    slots = list(Assignment.objects.order_by("id"))

    def act(number: int) -> None:
        if number < 3:
            claim_items(queue=queue, membership=people[number])
            return
        for slot in slots:
            try:
                if number == 3:
                    assign(slot=slot, assignee=people[0], membership=lead, seen=None)
                else:
                    take_back(slot=slot, membership=lead, seen=None)
            except ReviewError:
                continue
        sweep_holds()
        sweep_assigned()

    at_once(act, times=5)
    for slot in Assignment.objects.all():
        assert slot.state in ("open", "leased")
        assert slot.state == "open" or slot.assignee_id in (None, slot.lease_owner_id)
    for person in people:
        for slot in claim_items(queue=queue, membership=person, k=6):
            assert answer(slot, person).decision is not None
    # Whatever was left to one of them alone, or to nobody, is not lost: the assignee gets it.
    left = Assignment.objects.filter(state__in=("open", "leased", "held"))
    assert not left.exists()


def test_a_comment_that_is_sent_many_times_at_once_is_stored_once() -> None:
    cast = make_cast()
    item = new_item(cast)
    reviewer, key = member(cast, cast.reviewer), uuid.uuid4()
    stored = at_once(lambda _: add_comment(item=item, membership=reviewer, key=key, text="@lead?").comment.id, times=5)
    assert set(stored) == {key}
    assert (Comment.objects.count(), Mention.objects.count(), len(events("review.comment.added"))) == (1, 1, 1)
