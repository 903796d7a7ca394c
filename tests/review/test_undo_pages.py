"""Taking a decision back from the pages: as a form, and as scripts do it."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from review.models import Annotation, Assignment, Decision, ReviewItem
from tests.factories import Cast
from tests.review.working import another, answer, claim_one, effects_now, member, new_item, queue_of

JSON = {"Accept": "application/json"}


def decide(cast: Cast, outcome: str = "block", **fields: Any) -> Decision:
    reviewer = member(cast, cast.reviewer)
    decision = answer(claim_one(cast, reviewer), reviewer, outcome, **fields).decision
    assert decision is not None
    return decision


def undo_url(cast: Cast, decision: Decision) -> str:
    return reverse("review:undo", args=[cast.project.slug, decision.id])


@pytest.fixture
def reviewer(cast: Cast, client: Client) -> Client:
    client.force_login(cast.reviewer)
    return client


def test_every_page_of_review_offers_it_while_there_is_time(cast: Cast, reviewer: Client) -> None:
    new_item(cast)
    decision = decide(cast)
    new_item(cast)
    slot = claim_one(cast, member(cast, cast.reviewer))
    pages = [
        reverse("review:queues", args=[cast.project.slug]),
        reverse("review:item", args=[cast.project.slug, slot.item.public_id]),
        reverse("review:item", args=[cast.project.slug, decision.item.public_id]),
    ]
    offered = f'action="{undo_url(cast, decision)}"'
    assert [offered in reviewer.get(page).text for page in pages] == [True] * 3
    effects_now(decision)
    assert [offered in reviewer.get(page).text for page in pages] == [False] * 3


def test_others_are_not_offered_it(cast: Cast, client: Client) -> None:
    new_item(cast)
    decision = decide(cast)
    client.force_login(cast.lead)
    assert undo_url(cast, decision) not in client.get(reverse("review:queues", args=[cast.project.slug])).text
    assert client.post(undo_url(cast, decision)).status_code == 404
    assert Decision.objects.standing().exists()


def test_the_form_goes_back_to_the_item_with_all_that_was_said(cast: Cast, reviewer: Client) -> None:
    item = new_item(cast)
    page = reviewer.post(undo_url(cast, decide(cast, note="my note", labels={"violence": True})), follow=True)
    assert page.redirect_chain[-1][0].endswith(f"/items/{item.public_id}/")
    assert "Submit and next" in page.text
    draft = page.context["page"].draft
    assert (draft.outcome, draft.note, draft.labels, draft.findings) == ("block", "my note", {"violence": True}, {})


def test_what_followed_from_the_answer_is_not_taken_for_said(cast: Cast, reviewer: Client) -> None:
    item = new_item(cast)
    harassment = item.checked.findings.get(category="harassment")
    decision = decide(cast, "redact", findings={harassment.id: False})
    assert decision.item.annotations.get().labels == {"harassment": False}
    draft = reviewer.post(undo_url(cast, decision), follow=True).context["page"].draft
    assert (draft.findings, draft.labels) == ({harassment.id: False}, {})


def test_an_edit_is_in_the_editor_again(cast: Cast, reviewer: Client) -> None:
    new_item(cast)
    page = reviewer.post(undo_url(cast, decide(cast, "replace", correction="Ask at the desk.")), follow=True)
    assert "Ask at the desk.</textarea>" in page.text
    assert page.context["page"].draft.outcome == "replace"


def test_scripts_are_told_for_how_long_and_get_the_panels_back(cast: Cast, reviewer: Client) -> None:
    new_item(cast)
    slot = claim_one(cast, member(cast, cast.reviewer))
    form = {"token": slot.lease_token, "version": 1, "submission": slot.id, "outcome": "block"}
    submit = reverse("review:submit", args=[cast.project.slug, slot.id])
    offer = reviewer.post(submit, form, headers=JSON).json()["undo"]
    assert 0 < offer["seconds"] <= 10
    assert offer["outcome"] == "block"
    back = reviewer.post(offer["url"], headers=JSON).json()
    assert back["status"] == "undone"
    assert str(Assignment.objects.get().lease_token) in back["html"]


def test_an_answer_that_decides_nothing_offers_nothing(cast: Cast, reviewer: Client) -> None:
    queue_of(cast, required_reviews=2)
    new_item(cast)
    slot = claim_one(cast, member(cast, cast.reviewer))
    form = {"token": slot.lease_token, "version": 1, "submission": slot.id, "outcome": "block"}
    submit = reverse("review:submit", args=[cast.project.slug, slot.id])
    assert reviewer.post(submit, form, headers=JSON).json()["undo"] is None


def test_a_late_one_is_refused_with_what_happened(cast: Cast, reviewer: Client) -> None:
    new_item(cast)
    decision = decide(cast)
    effects_now(decision)
    late = reviewer.post(undo_url(cast, decision), headers=JSON)
    assert (late.status_code, late.json()["status"]) == (409, "late")
    page = reviewer.post(undo_url(cast, decision))
    assert page.status_code == 409
    assert "Too late to take back: the output was blocked at" in page.text
    assert "Nothing went out." in page.text


def test_two_tabs_get_the_same_item_back(cast: Cast, reviewer: Client) -> None:
    new_item(cast)
    decision = decide(cast)
    first, second = (reviewer.post(undo_url(cast, decision), headers=JSON).json() for _ in range(2))
    token = str(Assignment.objects.get().lease_token)
    assert token in first["html"]
    assert token in second["html"]


def test_a_decided_item_says_when_it_takes_effect(cast: Cast, client: Client) -> None:
    new_item(cast)
    decision = decide(cast, "release")
    client.force_login(cast.lead)
    url = reverse("review:item", args=[cast.project.slug, decision.item.public_id])
    assert decision.waits_until is not None
    page = client.get(url).text
    assert f"{decision.waits_until.astimezone(dt.UTC):%H:%M:%S} UTC" in page
    assert "What went out" not in page
    effects_now(decision)
    assert "What went out" in client.get(url).text


def test_my_page_says_what_was_taken_back_and_counts_it_no_more(cast: Cast, reviewer: Client) -> None:
    new_item(cast)
    reviewer.post(undo_url(cast, decide(cast)))
    assert "taken back" in reviewer.get(reverse("review:mine", args=[cast.project.slug])).text
    assert reviewer.get(reverse("review:queues", args=[cast.project.slug])).context["today"] == 0


def test_a_member_who_was_removed_takes_nothing_back(cast: Cast, client: Client) -> None:
    gone = another(cast, "gone")
    new_item(cast)
    decision = answer(claim_one(cast, gone), gone).decision
    assert decision is not None
    gone.delete()
    client.force_login(gone.user)
    assert client.post(undo_url(cast, decision)).status_code == 404
    assert ReviewItem.objects.get().state == "decided"
    assert Annotation.objects.get().counts
