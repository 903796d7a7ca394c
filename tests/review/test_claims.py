from __future__ import annotations

import datetime as dt

import pytest
from django.utils import timezone

from review.errors import SlotLost
from review.models import Assignment, ReviewItem
from review.services import claim_items, heartbeat, release_slot, show, sweep_leases
from review.tasks import sweep_leases as sweep_task
from tests.factories import Cast
from tests.review.working import another, claim_one, member, new_item, queue_of, run_out


def seconds_left(slot: Assignment) -> float:
    assert slot.lease_expires_at is not None
    return (slot.lease_expires_at - timezone.now()).total_seconds()


def test_a_reviewer_gets_two_items_the_second_with_the_short_lease(cast: Cast) -> None:
    for _ in range(3):
        new_item(cast)
    first, second = claim_items(queue=queue_of(cast), membership=member(cast, cast.reviewer))
    assert first.lease_token != second.lease_token
    assert seconds_left(first) == pytest.approx(300, abs=5)
    assert seconds_left(second) == pytest.approx(120, abs=5)
    assert ReviewItem.objects.filter(state="in_review").count() == 2


def test_live_leases_count_towards_two_and_come_back_with_their_tokens(cast: Cast) -> None:
    for _ in range(5):
        new_item(cast)
    reviewer, queue = member(cast, cast.reviewer), queue_of(cast)
    before = claim_items(queue=queue, membership=reviewer)
    show(slot=before[1], user=reviewer.user, lease_token=before[1].lease_token or before[1].id)
    after = claim_items(queue=queue, membership=reviewer)
    assert [(slot.id, slot.lease_token) for slot in after] == [
        (before[1].id, before[1].lease_token),
        (before[0].id, before[0].lease_token),
    ], "what is on screen comes first"


def test_nobody_gets_two_slots_of_one_item(cast: Cast) -> None:
    queue = queue_of(cast, required_reviews=2)
    item = new_item(cast)
    one = claim_items(queue=queue, membership=member(cast, cast.reviewer))
    two = claim_items(queue=queue, membership=another(cast, "second"))
    assert [slot.item_id for slot in one + two] == [item.id, item.id]
    assert one[0].id != two[0].id


def test_a_paused_queue_gives_nothing_new_but_keeps_what_is_held(cast: Cast) -> None:
    for _ in range(3):
        new_item(cast)
    reviewer = member(cast, cast.reviewer)
    held = claim_one(cast, reviewer)
    queue = queue_of(cast, paused=True)
    assert claim_items(queue=queue, membership=reviewer) == [held]


def test_an_expired_lease_goes_to_the_next_without_waiting_for_the_sweep(cast: Cast) -> None:
    new_item(cast)
    slot = claim_one(cast, member(cast, cast.reviewer))
    run_out(slot)
    taken = claim_one(cast, another(cast, "second"))
    assert taken.id == slot.id
    assert taken.lease_token != slot.lease_token


def test_the_sweep_opens_expired_slots_once(cast: Cast) -> None:
    for _ in range(2):
        new_item(cast)
    expired, live = claim_items(queue=queue_of(cast), membership=member(cast, cast.reviewer))
    run_out(expired)
    assert sweep_task() == 1
    assert sweep_leases() == 0
    assert Assignment.objects.get(pk=expired.pk).state == "open"
    assert Assignment.objects.get(pk=live.pk).state == "leased"


def test_a_heartbeat_extends_and_revives_while_the_slot_is_untaken(cast: Cast) -> None:
    new_item(cast)
    reviewer = member(cast, cast.reviewer)
    slot = claim_one(cast, reviewer)
    token = slot.lease_token
    assert token is not None
    run_out(slot)
    sweep_leases()
    until = heartbeat(slot=slot, user=reviewer.user, lease_token=token)
    assert until > timezone.now() + dt.timedelta(seconds=250)
    run_out(slot)
    claim_one(cast, another(cast, "second"))
    with pytest.raises(SlotLost):
        heartbeat(slot=slot, user=reviewer.user, lease_token=token)


def test_a_released_slot_is_open_for_others_at_once(cast: Cast) -> None:
    new_item(cast)
    reviewer = member(cast, cast.reviewer)
    slot = claim_one(cast, reviewer)
    assert slot.lease_token is not None
    assert release_slot(slot=slot, user=reviewer.user, lease_token=slot.lease_token)
    assert not release_slot(slot=slot, user=reviewer.user, lease_token=slot.lease_token)
    assert claim_one(cast, another(cast, "second")).id == slot.id
