"""Items that are kept for later."""

from __future__ import annotations

import datetime as dt

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from review.errors import InvalidAnswer, SlotLost
from review.models import Annotation, Assignment, ReviewItem
from review.services import claim_items, decide, hold, release_all, resume, sweep_holds, sweep_leases
from review.services.holding import HOLDS_EACH
from review.tasks import sweep_holds as sweep_task
from tests.factories import Cast
from tests.review.working import another, answer, claim_one, events, member, new_item, queue_of, run_out
from webapp.accounts.models import Membership, Role
from webapp.accounts.services import SYSTEM, remove_member, set_role


def hold_one(cast: Cast, who: Membership, reason: str = "") -> Assignment:
    slot = claim_one(cast, who)
    assert slot.lease_token is not None
    return hold(slot=slot, membership=who, lease_token=slot.lease_token, reason=reason)


def time_passes(slot: Assignment) -> None:
    Assignment.objects.filter(pk=slot.pk).update(held_until=timezone.now() - dt.timedelta(seconds=1))


def test_a_hold_outlives_the_lease_and_stop_and_ends_before_the_item_is_due(cast: Cast) -> None:
    new_item(cast)
    reviewer = member(cast, cast.reviewer)
    slot = hold_one(cast, reviewer, "Ask the lawyers.")
    run_out(slot)
    sweep_leases()
    release_all(queue=queue_of(cast), user=reviewer.user)
    assert sweep_holds() == 0
    slot.refresh_from_db()
    assert (slot.state, slot.lease_owner) == ("held", cast.reviewer)
    assert slot.held_until == slot.item.sla_due_at - dt.timedelta(seconds=300)
    assert claim_items(queue=queue_of(cast), membership=another(cast, "second")) == []
    [event] = events("review.item.held")
    assert event["actor"]["role"] == "reviewer"
    assert "lawyers" not in str(event)


def test_a_hold_takes_no_place_of_what_its_holder_claims(cast: Cast) -> None:
    queue = queue_of(cast, required_reviews=2)
    held = new_item(cast)
    others = [new_item(cast), new_item(cast)]
    reviewer = member(cast, cast.reviewer)
    hold_one(cast, reviewer)
    assert {slot.item for slot in claim_items(queue=queue, membership=reviewer)} == set(others)
    release_all(queue=queue, user=reviewer.user)
    assert claim_one(cast, another(cast, "second")).item == held, "its other slot is not blocked"


def test_a_held_item_is_resumed_with_a_fresh_token_and_answered(cast: Cast) -> None:
    item = new_item(cast)
    reviewer = member(cast, cast.reviewer)
    held = hold_one(cast, reviewer)
    queue_of(cast, paused=True)
    slot = resume(slot=held, membership=reviewer)
    again = resume(slot=held, membership=reviewer)
    assert slot.lease_token == again.lease_token != held.lease_token
    assert (slot.held_until, slot.hold_reason) == (None, "")
    assert answer(slot, reviewer).decision is not None
    item.refresh_from_db()
    assert item.state == "decided"
    assert len(events("review.item.resumed")) == 1


def test_a_hold_whose_time_is_over_goes_back_once(cast: Cast) -> None:
    item = new_item(cast)
    reviewer, second = member(cast, cast.reviewer), another(cast, "second")
    held = hold_one(cast, reviewer)
    time_passes(held)
    assert sweep_task() == 1
    assert sweep_holds() == 0
    assert claim_one(cast, second).item == item
    with pytest.raises(SlotLost):
        resume(slot=held, membership=reviewer)
    [event] = events("review.item.returned")
    assert event["reason_codes"] == ["cause:time"]


def test_who_is_late_goes_on_as_long_as_nobody_took_it(cast: Cast) -> None:
    new_item(cast)
    reviewer = member(cast, cast.reviewer)
    held = hold_one(cast, reviewer)
    time_passes(held)
    sweep_holds()
    assert answer(resume(slot=held, membership=reviewer), reviewer).annotation.counts


def test_an_item_that_is_nearly_due_is_not_held(cast: Cast) -> None:
    item = new_item(cast)
    ReviewItem.objects.filter(pk=item.pk).update(sla_due_at=timezone.now() + dt.timedelta(seconds=200))
    with pytest.raises(InvalidAnswer, match="due too soon"):
        hold_one(cast, member(cast, cast.reviewer))
    assert Assignment.objects.get().state == "leased"


def test_a_reviewer_holds_only_so_many(cast: Cast) -> None:
    for _ in range(HOLDS_EACH + 1):
        new_item(cast)
    reviewer = member(cast, cast.reviewer)
    for _ in range(HOLDS_EACH):
        hold_one(cast, reviewer)
    with pytest.raises(InvalidAnswer, match="You hold 5 items"):
        hold_one(cast, reviewer)
    Assignment.objects.filter(state="leased").update(state="open", lease_owner=None)
    hold_one(cast, another(cast, "second"))


@pytest.mark.parametrize("reason", ["x" * 201, "nul\0"])
def test_a_reason_that_can_not_be_kept_is_refused(cast: Cast, reason: str) -> None:
    new_item(cast)
    with pytest.raises(InvalidAnswer):
        hold_one(cast, member(cast, cast.reviewer), reason)


def test_two_tabs_hold_once_and_answer_once(cast: Cast) -> None:
    new_item(cast)
    reviewer = member(cast, cast.reviewer)
    slot = claim_one(cast, reviewer)
    assert slot.lease_token is not None
    for _ in range(2):
        hold(slot=slot, membership=reviewer, lease_token=slot.lease_token)
    assert len(events("review.item.held")) == 1
    assert answer(slot, reviewer).annotation.counts, "the other tab still shows it"
    with pytest.raises(SlotLost):
        resume(slot=slot, membership=reviewer)
    assert Assignment.objects.get().held_until is None
    assert Annotation.objects.count() == 1


def test_nobody_holds_or_resumes_what_is_not_theirs(cast: Cast) -> None:
    new_item(cast)
    reviewer, second = member(cast, cast.reviewer), another(cast, "second")
    slot = claim_one(cast, reviewer)
    assert slot.lease_token is not None
    with pytest.raises(SlotLost):
        hold(slot=slot, membership=second, lease_token=slot.lease_token)
    hold(slot=slot, membership=reviewer, lease_token=slot.lease_token)
    with pytest.raises(SlotLost):
        resume(slot=slot, membership=second)


@pytest.mark.parametrize("gone", ["removed", "compliance", "inactive"])
def test_what_somebody_held_who_may_not_review_any_more_goes_back(cast: Cast, gone: str) -> None:
    item = new_item(cast)
    second = another(cast, "second")
    held = hold_one(cast, second)
    if gone == "removed":
        remove_member(membership=second, actor=SYSTEM)
    elif gone == "compliance":
        set_role(membership=second, role=Role.COMPLIANCE, actor=SYSTEM)
    else:
        second.user.is_active = False
        second.user.save()
    assert sweep_holds() == 1
    held.refresh_from_db()
    assert (held.state, held.lease_owner, held.lease_token) == ("open", None, None)
    assert claim_one(cast, member(cast, cast.reviewer)).item == item
    [event] = events("review.item.returned")
    assert event["reason_codes"] == ["cause:member"]


def test_an_adjudicator_s_hold_is_lost_with_the_role(cast: Cast) -> None:
    item = new_item(cast)
    lead = member(cast, cast.lead)
    Assignment.objects.filter(item=item).update(role="adjudicator")
    held = hold_one(cast, lead)
    set_role(membership=lead, role=Role.REVIEWER, actor=SYSTEM)
    with pytest.raises(SlotLost):
        resume(slot=held, membership=member(cast, cast.lead))
    assert sweep_holds() == 1
    assert claim_one(cast, member(cast, cast.owner)).item == item


def test_a_held_slot_delays_consensus_but_not_a_lead(cast: Cast) -> None:
    queue_of(cast, required_reviews=2)
    new_item(cast)
    reviewer, second = member(cast, cast.reviewer), another(cast, "second")
    held = hold_one(cast, reviewer)
    done = answer(claim_one(cast, second), second)
    assert done.decision is None
    decide(item=held.item, answers=[done.annotation], method="adjudicated", membership=member(cast, cast.lead))  # type: ignore[arg-type]
    with pytest.raises(SlotLost):
        resume(slot=held, membership=reviewer)


def held_by_reviewer(cast: Cast) -> Assignment:
    new_item(cast)
    return hold_one(cast, member(cast, cast.reviewer), "<b>Ask Ann</b>")


def test_holds_are_listed_for_their_holder_and_the_leads(cast: Cast, client: Client) -> None:
    held_by_reviewer(cast)
    url = reverse("review:queues", args=[cast.project.slug])
    colleague = another(cast, "second").user
    shown = {}
    for person in (cast.reviewer, cast.lead, colleague, cast.compliance):
        client.force_login(person)
        shown[person.username] = client.get(url).text
    assert [name for name, page in shown.items() if "&lt;b&gt;Ask Ann" in page] == ["reviewer", "lead"]
    assert [name for name, page in shown.items() if "Resume" in page] == ["reviewer"]


def test_the_page_of_a_held_item_leads_on(cast: Cast, client: Client) -> None:
    held = held_by_reviewer(cast)
    client.force_login(cast.reviewer)
    url = reverse("review:item", args=[cast.project.slug, held.item.public_id])
    page = client.get(url)
    assert "You hold this item" in page.text
    assert "&lt;b&gt;Ask Ann" in page.text
    resumed = client.post(reverse("review:resume", args=[cast.project.slug, held.id]))
    assert resumed["Location"] == url
    assert "Submit and next" in client.get(url).text


def test_forms_hold_and_go_on_and_say_why_not(cast: Cast, client: Client) -> None:
    first, second = new_item(cast), new_item(cast)
    slot = claim_one(cast, member(cast, cast.reviewer))
    client.force_login(cast.reviewer)
    url = reverse("review:hold", args=[cast.project.slug, slot.id])
    gone_on = client.post(url, {"token": str(slot.lease_token), "reason": "later"})
    assert second.public_id in gone_on["Location"]
    ReviewItem.objects.filter(pk=second.pk).update(sla_due_at=timezone.now())
    slot = Assignment.objects.get(item=second)
    url = reverse("review:hold", args=[cast.project.slug, slot.id])
    refused = client.post(url, {"token": str(slot.lease_token)}, follow=True)
    assert "due too soon" in refused.text
    client.post(reverse("review:release", args=[cast.project.slug, slot.id]))
    lost = client.post(
        reverse("review:resume", args=[cast.project.slug, slot.id]), headers={"accept": "application/json"}
    )
    assert (lost.status_code, lost.json()["status"]) == (409, "lost")
    assert Assignment.objects.get(item=first).state == "held"
