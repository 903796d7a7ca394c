"""A share of the decisions is looked at again by somebody who had no part in them."""

from __future__ import annotations

import datetime as dt
import re
import uuid
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from review.errors import InvalidAnswer, SlotLost, TooLate
from review.models import Annotation, Assignment, Break, ExposureEntry, QAReview, ReviewItem
from review.qa import errors_by_queue
from review.selectors import waiting_in
from review.services import (
    Judgement,
    claim_items,
    claim_qa,
    release_all,
    reopen,
    submit_qa,
    sweep_effects,
    undo_decision,
)
from review.services.raising import raise_item
from tests.factories import Cast
from tests.review.qa import decided, judge
from tests.review.working import another, answer, claim_one, effects_now, events, member, new_item, queue_of, run_out
from webapp.accounts.models import Membership, Role
from webapp.interception.models import ReleaseOutcome
from webapp.interception.releases import release_in_force


def test_a_drawn_item_gets_a_slot_once_its_decision_holds(cast: Cast, reviewer: Membership) -> None:
    queue_of(cast, qa_rate=1.0)
    item = new_item(cast)
    done = answer(claim_one(cast, reviewer), reviewer)
    assert not item.assignments.filter(role="qa").exists(), "it can still be taken back"
    assert done.decision is not None
    effects_now(done.decision)
    sweep_effects()
    assert item.assignments.get(role="qa").state == "open"
    queue_of(cast, qa_rate=0.0)
    assert not new_item(cast).qa


def test_a_lead_gets_it_who_had_no_part_in_it(cast: Cast, reviewer: Membership, lead: Membership) -> None:
    item = decided(cast, lead)
    assert claim_qa(membership=lead) is None
    owner = member(cast, cast.owner)
    slot = claim_qa(membership=owner)
    assert slot is not None
    assert slot.item_id == item.id
    assert claim_qa(membership=owner) == slot, "one at a time"
    assert claim_qa(membership=another(cast, "other lead", Role.LEAD)) is None
    run_out(slot)
    assert claim_qa(membership=another(cast, "third lead", Role.LEAD)) == slot


def test_ordinary_claims_and_counts_pass_it_over(cast: Cast, reviewer: Membership, lead: Membership) -> None:
    decided(cast, reviewer)
    queue = queue_of(cast)
    assert claim_items(queue=queue, membership=lead) == []
    assert waiting_in(queue=queue) == "0"


def test_who_looks_at_a_decision_gets_items_beside_it_and_keeps_it(
    cast: Cast, reviewer: Membership, lead: Membership
) -> None:
    decided(cast, reviewer)
    queue = queue_of(cast, qa_rate=0.0)
    slot = claim_qa(membership=lead)
    beside = new_item(cast)
    assert [one.item for one in claim_items(queue=queue, membership=lead)] == [beside]
    release_all(queue=queue, user=lead.user)
    now = timezone.now()
    Break.objects.create(reviewer=lead.user, started_at=now, ends_at=now + dt.timedelta(hours=1))
    assert claim_items(queue=queue, membership=lead) == []
    assert judge(claim_qa(membership=lead), lead, "release").assignment == slot


def test_during_a_break_a_lead_gets_no_decision_to_look_at(
    cast: Cast, client: Client, reviewer: Membership, lead: Membership
) -> None:
    decided(cast, reviewer)
    now = timezone.now()
    Break.objects.create(reviewer=lead.user, started_at=now, ends_at=now + dt.timedelta(hours=1))
    assert claim_qa(membership=lead) is None
    client.force_login(cast.lead)
    sent = client.post(reverse("review:qa-next", args=[cast.project.slug]))
    assert sent["Location"] == reverse("review:rest", args=[cast.project.slug])


def test_what_a_lead_looks_at_again_opens_covered_and_counts_as_exposure(
    cast: Cast, client: Client, reviewer: Membership, lead: Membership
) -> None:
    item = decided(cast, reviewer)
    ReviewItem.objects.update(severity=4)
    slot = claim_qa(membership=lead)
    assert slot is not None
    client.force_login(cast.lead)
    page = reverse("review:qa-item", args=[cast.project.slug, slot.id])
    covered = client.get(page).text
    assert f'href="{page}?show=text"' in covered
    assert len(re.findall(r'class="[^"]*text[^"]*"(?! hidden data-covered) [^>]*dir="auto"', covered)) == 0
    theirs = ExposureEntry.objects.filter(reviewer=cast.lead, item=item)
    assert not theirs.exists()
    for _ in range(2):
        assert "data-covered" not in client.get(f"{page}?show=text").text
    assert theirs.get().weighted_seconds == 10, "a glance, once"
    Assignment.objects.filter(pk=slot.pk).update(opened_at=timezone.now() - dt.timedelta(minutes=1))
    judge(slot, lead, "release")
    assert theirs.get().weighted_seconds == pytest.approx(120, abs=3)


def test_agreement_changes_nothing(cast: Cast, reviewer: Membership, lead: Membership) -> None:
    item = decided(cast, reviewer)
    slot = claim_qa(membership=lead)
    review = judge(slot, lead, "release")
    assert judge(slot, lead, "block", "major") == review, "twice is stored once"
    assert (review.agrees, review.severity, review.decision) == (True, "", item.decisions.get())
    assert Annotation.objects.count() == 1
    [event] = events("review.qa.reviewed")
    assert (event["outcome"]["decision"], event["reason_codes"]) == ("release", ["error:none"])


def test_a_correction_overturns_at_once_in_a_new_cycle(cast: Cast, reviewer: Membership, lead: Membership) -> None:
    item = decided(cast, reviewer)
    first = item.decisions.get()
    judge(claim_qa(membership=lead), lead, "block", "major", note="A threat.")
    item.refresh_from_db()
    second = item.decisions.get(cycle=2)
    assert (item.state, item.cycle) == ("decided", 2)
    assert (second.outcome, second.method, second.supersedes) == ("block", "qa", first)
    assert second.statement
    assert "A threat." not in second.statement, "the note is for colleagues, the statement for the application"
    assert second.waits_until is None
    newest = item.checked.releases.first()
    assert newest is not None
    assert (newest.outcome, newest.decision_id) == (ReleaseOutcome.BLOCKED, second.id)
    assert Annotation.objects.get(cycle=2).assignment.role == "qa"
    assert item.assignments.filter(role="qa").count() == 1, "a correction is not looked at again"


def test_a_correction_can_be_left_to_others(cast: Cast, reviewer: Membership, lead: Membership) -> None:
    item = decided(cast, reviewer)
    judge(claim_qa(membership=lead), lead, "replace", "minor", again=True, note="Only the name is wrong.")
    item.refresh_from_db()
    assert item.state == "reopened"
    assert item.reopenings.get().reason == "Only the name is wrong."
    colleague = another(cast, "colleague")
    assert answer(claim_one(cast, colleague), colleague, "block").decision is not None


def test_an_overturn_waits_and_is_taken_back_as_if_it_had_not_been(
    cast: Cast, client: Client, reviewer: Membership, lead: Membership
) -> None:
    item = decided(cast, reviewer, "block")
    first, due, decided_at = item.decisions.get(), item.sla_due_at, item.decided_at
    client.force_login(cast.lead)
    page = client.post(reverse("review:qa-next", args=[cast.project.slug]), follow=True)
    slot = Assignment.objects.get(role="qa")
    url = reverse("review:qa-item", args=[cast.project.slug, slot.id])
    said = {
        "outcome": "replace",
        "severity": "major",
        "then": "holds",
        "note": "Harsh.",
        "token": str(slot.lease_token),
    }
    unchanged = client.post(url, said | {"correction": item.checked.content.output})
    assert (unchanged.status_code, "same as the output" in unchanged.text) == (422, True)
    page = client.post(url, said | {"correction": "Write to us.\r\n<b>Ann</b>"}, follow=True)
    overturn = item.decisions.get(cycle=2)
    assert overturn.waits_until is not None
    assert reverse("review:undo", args=[cast.project.slug, overturn.id]) in page.text
    waiting = item.checked.releases.get(decision_id=overturn.id)
    assert (waiting.outcome, waiting.output) == (ReleaseOutcome.REPLACED, "Write to us.\n<b>Ann</b>")
    in_force = release_in_force(item.checked)
    assert in_force is not None
    assert in_force.decision_id == first.id
    undo = reverse("review:undo", args=[cast.project.slug, overturn.id])
    assert client.post(undo).headers["location"] == url
    assert client.post(undo).headers["location"] == url, "twice is harmless"
    item.refresh_from_db()
    assert (item.state, item.cycle, item.sla_due_at, item.decided_at) == ("decided", 1, due, decided_at)
    assert list(item.decisions.standing()) == [first]
    assert item.checked.releases.get().decision_id == first.id
    assert len(events("review.qa.undone")) == len(events("review.decision.undone")) == 1
    assert errors_by_queue(cast.project)[0].errors.all.whole == 0
    again = client.get(url)
    assert again.context["edited"] == item.checked.content.output
    slot.refresh_from_db()
    judge(slot, lead, "replace", "minor", correction="Please write to us.")
    second = item.decisions.standing().get(cycle=2)
    effects_now(second)
    sweep_effects()
    assert item.checked.releases.latest("id").output == "Please write to us."
    with pytest.raises(TooLate):
        undo_decision(decision=second, membership=lead)


def test_a_text_that_went_out_is_replaced_by_another(cast: Cast, reviewer: Membership, lead: Membership) -> None:
    item = decided(cast, reviewer, "replace", correction="Go away.")
    with pytest.raises(InvalidAnswer, match="how grave"):
        judge(claim_qa(membership=lead), lead, "replace", correction="Please write.")
    judge(claim_qa(membership=lead), lead, "replace", "minor", correction="Please write.")
    item.refresh_from_db()
    assert item.cycle == 2
    assert item.checked.releases.latest("id").output == "Please write."


def test_the_text_that_went_out_is_no_change(cast: Cast, reviewer: Membership, lead: Membership) -> None:
    item = decided(cast, reviewer, "replace", correction="Go away.")
    judge(claim_qa(membership=lead), lead, "replace", "minor", correction="Go away.")
    item.refresh_from_db()
    assert item.cycle == 1


def test_an_error_beside_the_outcome_lets_the_decision_hold(cast: Cast, reviewer: Membership, lead: Membership) -> None:
    item = decided(cast, reviewer)
    assert not judge(claim_qa(membership=lead), lead, "release", "minor").agrees
    item.refresh_from_db()
    assert (item.state, item.cycle) == ("decided", 1)


@pytest.mark.parametrize(
    ("outcome", "severity", "more"),
    [
        ("block", "", {}),
        ("block", "major", {"note": ""}),
        ("praise", "", {}),
        ("release", "huge", {}),
        ("replace", "minor", {}),
        ("block", "minor", {"note": "nul\0"}),
    ],
)
def test_what_does_not_fit_is_refused(
    cast: Cast, reviewer: Membership, lead: Membership, outcome: str, severity: str, more: dict[str, Any]
) -> None:
    decided(cast, reviewer)
    slot = claim_qa(membership=lead)
    with pytest.raises(InvalidAnswer):
        judge(slot, lead, outcome, severity, **more)
    assert not QAReview.objects.exists()


def test_what_was_opened_again_meanwhile_is_not_theirs_any_more(
    cast: Cast, reviewer: Membership, lead: Membership
) -> None:
    item = decided(cast, reviewer)
    slot = claim_qa(membership=lead)
    reopen(item=item, membership=member(cast, cast.owner), reason="A complaint.")
    with pytest.raises(SlotLost):
        judge(slot, lead, "release")
    colleague = another(cast, "colleague")
    assert answer(claim_one(cast, colleague), colleague).decision is not None, "its slot waits for nobody"


def test_what_was_opened_again_before_the_sweep_gets_no_slot(
    cast: Cast, reviewer: Membership, lead: Membership
) -> None:
    queue_of(cast, qa_rate=1.0)
    item = new_item(cast)
    first = answer(claim_one(cast, reviewer), reviewer)
    assert first.decision is not None
    effects_now(first.decision)
    reopen(item=item, membership=lead, reason="Look again.")
    sweep_effects()
    assert not item.assignments.filter(role="qa").exists()
    colleague = another(cast, "colleague")
    assert answer(claim_one(cast, colleague), colleague, "block").decision is not None, "nothing else is waited for"


def test_what_waits_again_meanwhile_is_corrected_there(cast: Cast, reviewer: Membership, lead: Membership) -> None:
    item = decided(cast, reviewer)
    slot = claim_qa(membership=lead)
    raise_item(check=item.checked, kind="late")
    for again in (False, True):
        with pytest.raises(InvalidAnswer, match="waits there already"):
            judge(slot, lead, "block", "major", again=again)
    assert not QAReview.objects.exists()


def test_nobody_else_can_use_the_slot(cast: Cast, reviewer: Membership, lead: Membership) -> None:
    decided(cast, reviewer)
    slot = claim_qa(membership=lead)
    assert slot is not None
    with pytest.raises(SlotLost):
        submit_qa(
            slot=slot,
            membership=member(cast, cast.owner),
            lease_token=slot.lease_token or uuid.uuid4(),
            judgement=Judgement("release"),
        )
