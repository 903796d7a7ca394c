"""Slots that leads give to people."""

from __future__ import annotations

import datetime as dt
import uuid

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from review.errors import InvalidAnswer, ItemChanged, SlotLost
from review.models import Assignment, Exclusion, ReviewItem
from review.services import (
    assign,
    claim_items,
    heartbeat,
    hold,
    release_all,
    resume,
    skip,
    sweep_assigned,
    sweep_holds,
    sweep_leases,
    take_back,
)
from review.tasks import sweep_holds as sweep_task
from tests.factories import Cast
from tests.review.working import another, answer, claim_one, events, member, new_item, queue_of, run_out
from webapp.accounts.models import Membership, Role
from webapp.accounts.services import SYSTEM, remove_member, set_role


def slot_of(item: ReviewItem) -> Assignment:
    return Assignment.objects.get(item=item)


def give(cast: Cast, slot: Assignment, to: Membership, seen: uuid.UUID | None = None) -> Assignment:
    return assign(slot=slot, assignee=to, membership=member(cast, cast.lead), seen=seen)


def time_passes(slot: Assignment) -> None:
    Assignment.objects.filter(pk=slot.pk).update(held_until=timezone.now() - dt.timedelta(seconds=1))


def test_an_assigned_slot_is_claimed_first_and_by_nobody_else(cast: Cast) -> None:
    grave, given = new_item(cast), new_item(cast)
    Assignment.objects.filter(item=grave).update(priority=9)
    reviewer, second = member(cast, cast.reviewer), another(cast, "second")
    give(cast, slot_of(given), reviewer)
    assert [slot.item for slot in claim_items(queue=queue_of(cast), membership=second)] == [grave]
    release_all(queue=queue_of(cast), user=second.user)
    assert [slot.item for slot in claim_items(queue=queue_of(cast), membership=reviewer)] == [given, grave]
    [event] = events("review.item.assigned")
    assert event["actor"]["role"] == "lead"
    assert event["cause"] == [f"user:{cast.reviewer.id}"]


def test_it_stays_assigned_while_its_assignee_comes_and_goes(cast: Cast) -> None:
    slot = give(cast, slot_of(new_item(cast)), member(cast, cast.reviewer))
    reviewer, second = member(cast, cast.reviewer), another(cast, "second")
    run_out(claim_one(cast, reviewer))
    sweep_leases()
    claim_one(cast, reviewer)
    release_all(queue=queue_of(cast), user=reviewer.user)
    assert sweep_assigned() == 0
    assert claim_items(queue=queue_of(cast), membership=second) == []
    done = answer(claim_one(cast, reviewer), reviewer)
    assert done.decision is not None
    slot.refresh_from_db()
    assert (slot.assignee, slot.held_until) == (cast.reviewer, None)


def test_it_waits_until_the_item_is_due_and_then_for_anybody(cast: Cast) -> None:
    queue_of(cast, sla_seconds=7200)
    item = new_item(cast)
    slot = give(cast, slot_of(item), member(cast, cast.reviewer))
    assert slot.held_until == item.sla_due_at
    time_passes(slot)
    assert sweep_task() == 1
    assert sweep_assigned() == 0
    assert claim_one(cast, another(cast, "second")).item == item
    assert [event["reason_codes"] for event in events("review.item.returned")] == [["cause:time"]]


def test_an_overdue_item_waits_an_hour_for_its_assignee(cast: Cast) -> None:
    item = new_item(cast)
    ReviewItem.objects.filter(pk=item.pk).update(sla_due_at=timezone.now() - dt.timedelta(days=1))
    slot = give(cast, slot_of(item), member(cast, cast.reviewer))
    assert slot.held_until is not None
    assert dt.timedelta(minutes=59) < slot.held_until - timezone.now() <= dt.timedelta(hours=1)


def test_a_skip_gives_an_assigned_slot_to_the_others(cast: Cast) -> None:
    item = new_item(cast)
    reviewer = member(cast, cast.reviewer)
    give(cast, slot_of(item), reviewer)
    slot = claim_one(cast, reviewer)
    assert slot.lease_token is not None
    skip(slot=slot, membership=reviewer, lease_token=slot.lease_token, reason="unclear")
    assert claim_one(cast, another(cast, "second")).item == item


@pytest.mark.parametrize("how", ["removed", "compliance", "excluded", "another slot"])
def test_what_its_assignee_can_not_have_any_more_goes_back(cast: Cast, how: str) -> None:
    queue_of(cast, required_reviews=2)
    item = new_item(cast)
    second = another(cast, "second")
    first, other = Assignment.objects.filter(item=item).order_by("slot_no")
    give(cast, first, second)
    if how == "removed":
        remove_member(membership=second, actor=SYSTEM)
    elif how == "compliance":
        set_role(membership=second, role=Role.COMPLIANCE, actor=SYSTEM)
    elif how == "excluded":
        Exclusion.objects.create(item=item, reviewer=second.user, why="opted_out")
    else:
        Assignment.objects.filter(pk=other.pk).update(state="submitted", lease_owner=second.user)
    assert sweep_assigned() == 1
    first.refresh_from_db()
    assert (first.state, first.assignee) == ("open", None)
    assert [event["reason_codes"] for event in events("review.item.returned")] == [["cause:member"]]
    assert claim_items(queue=queue_of(cast), membership=member(cast, cast.reviewer))[0].item == item


@pytest.mark.parametrize("how", ["skipped", "answered", "adjudicator"])
def test_nobody_is_assigned_what_they_can_not_do(cast: Cast, how: str) -> None:
    queue_of(cast, required_reviews=2)
    item = new_item(cast)
    reviewer = member(cast, cast.reviewer)
    slot = Assignment.objects.get(item=item, slot_no=2)
    if how == "skipped":
        Exclusion.objects.create(item=item, reviewer=cast.reviewer, why="skipped")
    elif how == "answered":
        answer(claim_one(cast, reviewer), reviewer)
    else:
        Assignment.objects.filter(pk=slot.pk).update(role="adjudicator")
    with pytest.raises(InvalidAnswer):
        give(cast, slot, reviewer)
    assert not Assignment.objects.exclude(assignee=None).exists()


def test_who_is_paused_in_a_queue_is_assigned_nothing_of_it(cast: Cast) -> None:
    slot = slot_of(new_item(cast))
    reviewer = member(cast, cast.reviewer)
    give(cast, slot, reviewer)
    slot.queue.reviewer_pauses.create(reviewer=cast.reviewer, score=0.1, results=10)
    with pytest.raises(InvalidAnswer, match="nothing new"):
        resume(slot=slot, membership=reviewer)
    assert claim_items(queue=queue_of(cast), membership=reviewer) == []
    with pytest.raises(InvalidAnswer, match="nothing new"):
        give(cast, slot, reviewer)


def test_a_lead_reassigns_and_what_was_written_is_kept(cast: Cast) -> None:
    item = new_item(cast)
    reviewer, second = member(cast, cast.reviewer), another(cast, "second")
    slot = claim_one(cast, reviewer)
    assert slot.lease_token is not None
    give(cast, slot, second, seen=cast.reviewer.id)
    with pytest.raises(SlotLost):
        heartbeat(slot=slot, user=cast.reviewer, lease_token=slot.lease_token)
    late = answer(slot, reviewer, "block", note="Mine.")
    assert (late.annotation.counts, late.decision) == (False, None)
    assert answer(claim_one(cast, second), second).decision is not None
    item.refresh_from_db()
    assert item.state == "decided"


def test_a_lead_who_looked_before_somebody_took_it_is_told(cast: Cast) -> None:
    item = new_item(cast)
    claim_one(cast, member(cast, cast.reviewer))
    with pytest.raises(ItemChanged):
        give(cast, slot_of(item), another(cast, "second"), seen=None)
    with pytest.raises(ItemChanged):
        take_back(slot=slot_of(item), membership=member(cast, cast.lead), seen=cast.owner.id)
    assert slot_of(item).lease_owner == cast.reviewer
    assert events("review.item.assigned") == events("review.item.returned") == []


def test_what_is_decided_is_not_assigned(cast: Cast) -> None:
    item = new_item(cast)
    reviewer = member(cast, cast.reviewer)
    answer(claim_one(cast, reviewer), reviewer)
    with pytest.raises(InvalidAnswer, match="answered meanwhile"):
        give(cast, slot_of(item), another(cast, "second"))


def test_a_lead_pulls_a_hold(cast: Cast) -> None:
    item = new_item(cast)
    reviewer = member(cast, cast.reviewer)
    slot = claim_one(cast, reviewer)
    assert slot.lease_token is not None
    hold(slot=slot, membership=reviewer, lease_token=slot.lease_token, reason="waiting")
    take_back(slot=slot, membership=member(cast, cast.lead), seen=cast.reviewer.id)
    with pytest.raises(SlotLost):
        resume(slot=slot, membership=reviewer)
    assert claim_one(cast, another(cast, "second")).item == item
    assert [event["reason_codes"] for event in events("review.item.returned")] == [["cause:lead"]]
    assert take_back(slot=slot_of(new_item(cast)), membership=member(cast, cast.lead), seen=None).state == "open"
    assert len(events("review.item.returned")) == 1, "nobody had that one"


def test_an_assigned_slot_is_held_and_goes_back_to_all(cast: Cast) -> None:
    item = new_item(cast)
    reviewer = member(cast, cast.reviewer)
    give(cast, slot_of(item), reviewer)
    slot = claim_one(cast, reviewer)
    assert slot.lease_token is not None
    time_passes(hold(slot=slot, membership=reviewer, lease_token=slot.lease_token))
    assert (sweep_holds(), sweep_assigned()) == (1, 0)
    assert claim_one(cast, another(cast, "second")).item == item


def test_an_assigned_slot_is_taken_directly_but_not_in_a_paused_queue(cast: Cast) -> None:
    reviewer = member(cast, cast.reviewer)
    slot = give(cast, slot_of(new_item(cast)), reviewer)
    with pytest.raises(SlotLost):
        resume(slot=slot, membership=another(cast, "second"))
    queue_of(cast, paused=True)
    with pytest.raises(InvalidAnswer, match="paused"):
        resume(slot=slot, membership=reviewer)
    queue_of(cast, paused=False)
    taken = resume(slot=slot, membership=reviewer)
    assert taken.state == "leased"
    assert events("review.item.resumed") == []
    run_out(taken)
    sweep_leases()
    assert sweep_assigned() == 1, "its time was up when it was taken"


def test_claims_read_the_pool_and_the_assigned_each_by_an_index(cast: Cast) -> None:
    new_item(cast)
    with CaptureQueriesContext(connection) as captured:
        claim_one(cast, member(cast, cast.reviewer))
    [sql] = [query["sql"] for query in captured.captured_queries if "gen_random_uuid" in query["sql"]]
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
        cursor.execute(f"EXPLAIN {sql}")
        plan = "\n".join(line for (line,) in cursor.fetchall())
    assert "slot_pool_order" in plan
    assert "slot_assigned_order" in plan
    assert "Seq Scan" not in plan


def test_leads_assign_and_take_back_with_forms(cast: Cast, client: Client) -> None:
    item = new_item(cast)
    slot = slot_of(item)
    client.force_login(cast.lead)
    page = reverse("review:item", args=[cast.project.slug, item.public_id])
    assert "waits for anybody" in client.get(page).text
    url = reverse("review:assign", args=[cast.project.slug, slot.id])
    done = client.post(url, {"person": str(cast.reviewer.id), "seen": ""}, follow=True)
    assert "Assigned to reviewer." in done.text
    assert "assigned to reviewer until" in done.text
    queues = reverse("review:queues", args=[cast.project.slug])
    client.force_login(cast.reviewer)
    assert "Work on it" in client.get(queues).text
    taken = client.post(reverse("review:resume", args=[cast.project.slug, slot.id]))
    assert taken["Location"] == page
    client.force_login(cast.lead)
    assert "assigned, at work" in client.get(queues).text
    back = reverse("review:take-back", args=[cast.project.slug, slot.id])
    stale = client.post(back, {"seen": "", "list": ""}, follow=True)
    assert "Look again" in stale.text
    done = client.post(back, {"seen": str(cast.reviewer.id), "list": ""}, follow=True)
    assert "It waits in its queue for anybody." in done.text
    assert slot_of(item).assignee is None


@pytest.mark.parametrize("who", ["compliance", "outsider", "nobody", "nonsense", ""])
def test_only_reviewers_of_the_project_are_assigned_anything(cast: Cast, client: Client, who: str) -> None:
    slot = slot_of(new_item(cast))
    person = getattr(cast, who, None)
    client.force_login(cast.lead)
    url = reverse("review:assign", args=[cast.project.slug, slot.id])
    chosen = {"nobody": str(uuid.uuid4()), "nonsense": "x\0y", "": ""}.get(who) if person is None else str(person.id)
    done = client.post(url, {"person": chosen}, follow=True)
    assert "Choose a reviewer of this project." in done.text
    assert slot_of(slot.item).assignee is None
