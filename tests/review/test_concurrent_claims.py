"""Reviewers who claim at the same moment, each on a connection of their own."""

from __future__ import annotations

import pytest

from review.models import Annotation, Assignment, Decision, Queue
from review.services import claim_items
from tests.factories import make_cast
from tests.review.working import another, answer, member, new_item, queue_of
from tests.threads import at_once
from webapp.accounts.models import Membership

pytestmark = pytest.mark.django_db(transaction=True)
REVIEWERS = 8
ITEMS = 200


def test_eight_reviewers_decide_two_hundred_items_each_once() -> None:
    cast = make_cast()
    queue = queue_of(cast)
    for _ in range(ITEMS):
        new_item(cast)
    people = [another(cast, f"r{number}") for number in range(REVIEWERS)]

    def work(number: int) -> list[object]:
        done: list[object] = []
        while slots := claim_items(queue=queue, membership=people[number]):
            for slot in slots:
                assert answer(slot, people[number]).annotation.counts
                done.append(slot.id)
        return done

    done = [slot for slots in at_once(work, times=REVIEWERS) for slot in slots]
    assert len(done) == len(set(done)) == ITEMS
    assert Annotation.objects.count() == Decision.objects.count() == ITEMS


def test_one_reviewer_in_many_tabs_holds_two_slots() -> None:
    cast = make_cast()
    queue = queue_of(cast)
    for _ in range(20):
        new_item(cast)
    reviewer = member(cast, cast.reviewer)
    claims = at_once(lambda _: claim(queue, reviewer), times=6)
    assert {frozenset(ids) for ids in claims} == {frozenset(claims[0])}
    assert Assignment.objects.filter(lease_owner=reviewer.user, state="leased").count() == 2


def test_the_slots_of_one_item_go_to_different_people() -> None:
    cast = make_cast()
    queue = queue_of(cast, required_reviews=3)
    for _ in range(5):
        new_item(cast)
    people = [another(cast, f"r{number}") for number in range(6)]
    at_once(lambda number: claim(queue, people[number]), times=6)
    held = Assignment.objects.filter(state="leased").values_list("item_id", "lease_owner_id")
    assert len(held) == len(set(held)) == 12


def test_the_same_submission_sent_many_times_at_once_is_stored_once() -> None:
    cast = make_cast()
    new_item(cast)
    reviewer = member(cast, cast.reviewer)
    [slot] = claim_items(queue=queue_of(cast), membership=reviewer, k=1)
    results = at_once(lambda _: answer(slot, reviewer, key=slot.id).annotation.id, times=5)
    assert len(set(results)) == 1
    assert Annotation.objects.count() == Decision.objects.count() == 1


def claim(queue: Queue, who: Membership) -> list[object]:
    return [slot.id for slot in claim_items(queue=queue, membership=who)]
