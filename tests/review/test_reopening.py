"""A decided item is decided once more."""

from __future__ import annotations

import pytest
from django.test import Client
from django.urls import reverse

from review.errors import InvalidAnswer
from review.models import ReviewItem
from review.services import claim_items, raise_item, reopen, undo_decision
from tests.factories import Cast
from tests.review.working import another, answer, claim_one, events, member, new_item, queue_of
from webapp.accounts.models import Membership
from webapp.interception.selectors import answers


@pytest.fixture
def item(cast: Cast) -> ReviewItem:
    """Return an item that the reviewer blocked."""
    queue_of(cast, undo_seconds=0)
    made = new_item(cast)
    reviewer = member(cast, cast.reviewer)
    answer(claim_one(cast, reviewer), reviewer, "block")
    return made


def again(cast: Cast, item: ReviewItem, reason: str = "The user complained.") -> ReviewItem:
    return reopen(item=item, membership=member(cast, cast.lead), reason=reason)


def test_the_old_decision_holds_until_the_new_one(cast: Cast, item: ReviewItem) -> None:
    again(cast, item)
    [meanwhile] = answers([item.checked])
    assert meanwhile.review is not None
    assert (meanwhile.verdict, meanwhile.review.state) == ("block", "reopened")
    second = another(cast, "second")
    answer(claim_one(cast, second), second, "release")
    item = ReviewItem.objects.get()
    [after] = answers([item.checked.__class__.objects.get()])
    assert (item.state, item.cycle, after.verdict) == ("decided", 2, "allow")
    old, new = item.decisions.order_by("cycle")
    assert (new.supersedes, new.outcome, new.method) == (old, "release", "single")


def test_it_goes_to_somebody_else(cast: Cast, item: ReviewItem) -> None:
    again(cast, item)
    assert claim_items(queue=queue_of(cast), membership=member(cast, cast.reviewer)) == []
    assert claim_one(cast, another(cast, "second")).item_id == item.id


def test_it_comes_back_to_them_when_there_is_nobody_else(cast: Cast, item: ReviewItem) -> None:
    lead = member(cast, cast.lead)
    Membership.objects.filter(project=cast.project, user__in=[cast.owner, cast.lead]).delete()
    reopen(item=item, membership=lead, reason="Look again.")
    reviewer = member(cast, cast.reviewer)
    slot = claim_one(cast, reviewer)
    answer(slot, reviewer, "release")
    assert item.annotations.filter(reviewer=cast.reviewer).count() == 2


def test_the_only_lead_may_still_settle_it(cast: Cast) -> None:
    queue_of(cast, required_reviews=1, undo_seconds=0)
    item = new_item(cast)
    lead = member(cast, cast.lead)
    answer(claim_one(cast, lead), lead, "block")
    Membership.objects.filter(project=cast.project, user=cast.owner).delete()
    again(cast, item)
    assert claim_one(cast, lead).item_id == item.id


@pytest.mark.parametrize("reason", ["", "x" * 10_001, "nul\0"])
def test_without_a_reason_it_stays_decided(cast: Cast, item: ReviewItem, reason: str) -> None:
    with pytest.raises(InvalidAnswer):
        again(cast, item, reason)
    item.refresh_from_db()
    assert item.state == "decided"


def test_it_is_opened_once(cast: Cast, item: ReviewItem) -> None:
    again(cast, item)
    with pytest.raises(InvalidAnswer, match="Only a decided item"):
        again(cast, item)


def test_a_check_that_waits_in_the_queue_again_is_not_opened_twice(cast: Cast, item: ReviewItem) -> None:
    raise_item(check=item.checked, kind="late", queue=item.queue)
    with pytest.raises(InvalidAnswer, match="waits there already"):
        again(cast, item)


def test_the_audit_log_says_who_opened_which_cycle_and_not_why(cast: Cast, item: ReviewItem) -> None:
    again(cast, item, "Ann complained.")
    [event] = events("review.item.reopened")
    assert (event["actor"]["ref"], event["object"]["rev"]) == (str(cast.lead.id), "2")
    assert "Ann" not in str(event)


def test_leads_open_it_on_its_page_and_the_next_reviewer_reads_why(
    cast: Cast, client: Client, item: ReviewItem
) -> None:
    page = reverse("review:item", args=[cast.project.slug, item.public_id])
    client.force_login(cast.reviewer)
    assert "Open it again" not in client.get(page).text
    client.force_login(cast.lead)
    assert "Open it again" in client.get(page).text
    form = {"reason": "<b>Complaint</b>"}
    shown = client.post(reverse("review:reopen", args=[cast.project.slug, item.public_id]), form, follow=True)
    assert "the decision so far holds" in shown.text
    second = another(cast, "second")
    claim_one(cast, second)
    client.force_login(second.user)
    assert "&lt;b&gt;Complaint&lt;/b&gt;" in client.get(page).text


def test_what_can_still_be_taken_back_is_not_opened(cast: Cast) -> None:
    made = new_item(cast)
    reviewer = member(cast, cast.reviewer)
    answer(claim_one(cast, reviewer), reviewer, "block")
    with pytest.raises(InvalidAnswer, match="still take that back"):
        reopen(item=made, membership=member(cast, cast.lead), reason="wrong")
    made.refresh_from_db()
    assert (made.state, made.cycle) == ("decided", 1)


def test_a_second_decision_taken_back_leaves_the_first_in_force(cast: Cast, item: ReviewItem) -> None:
    reopen(item=item, membership=member(cast, cast.lead), reason="wrong")
    queue_of(cast, undo_seconds=10)
    second = another(cast, "second")
    decisions = []
    for _ in range(2):
        decision = answer(claim_one(cast, second), second, "release").decision
        assert decision is not None
        decisions.append(decision)
        undo_decision(decision=decision, membership=second)
    item.refresh_from_db()
    assert (item.state, item.cycle) == ("in_review", 2)
    assert item.decided_at is not None
    assert decisions[1].supersedes == decisions[0]
    assert answers([item.checked])[0].verdict == "block"
