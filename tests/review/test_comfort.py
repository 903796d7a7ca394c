"""Severe texts open covered, and reviewers choose how texts are shown to them."""

from __future__ import annotations

import re

import pytest
from django.test import Client
from django.urls import reverse

from review.models import ReviewerProfile, ReviewItem
from tests.factories import Cast
from tests.review.working import claim_one, events, member, new_item

PROJECT = {
    "cover_from": "3",
    "look": "plain",
    "cap_minutes": "240",
    "break_after_minutes": "55",
    "break_minutes": "5",
}


def url(cast: Cast, name: str, *arguments: str) -> str:
    return reverse(f"review:{name}", args=[cast.project.slug, *arguments])


@pytest.fixture
def severe(cast: Cast, client: Client) -> ReviewItem:
    """Return a severe item that the reviewer, signed in, works on."""
    item = new_item(cast)
    ReviewItem.objects.filter(pk=item.pk).update(severity=3)
    claim_one(cast, member(cast, cast.reviewer))
    client.force_login(cast.reviewer)
    return item


def hidden_texts(html: str) -> int:
    return len(re.findall(r'<\w+ class="[^"]*text[^"]*" hidden data-covered', html))


def test_a_severe_item_opens_with_what_was_found_and_all_its_texts_hidden(
    cast: Cast, client: Client, severe: ReviewItem
) -> None:
    page = client.get(url(cast, "item", severe.public_id)).text
    assert hidden_texts(page) == len(re.findall(r'<\w+ class="[^"]*(?<![-\w])text(?![-\w])', page)) > 3
    cover = page[page.index('<div class="cover"') :]
    assert "output of 44 characters, 7 words" in cover
    assert re.search(r"EMAIL_ADDRESS</span>\s+1.00 · 21–36 ·\s+15 characters", cover)
    assert "█" * 15 in cover


def test_the_texts_are_shown_without_scripts_by_a_link(cast: Cast, client: Client, severe: ReviewItem) -> None:
    address = url(cast, "item", severe.public_id)
    assert f'href="{address}?show=text"' in client.get(address).text
    page = client.get(address, {"show": "text"}).text
    assert hidden_texts(page) == 0
    assert "data-reveal" not in page.split("<article")[1]


def test_the_next_item_comes_covered_too(cast: Cast, client: Client, severe: ReviewItem) -> None:
    ahead = client.post(url(cast, "ahead", "default")).json()["html"]
    assert hidden_texts(ahead) > 3


def test_what_is_not_severe_opens_as_it_is(cast: Cast, client: Client) -> None:
    item = new_item(cast)
    client.force_login(cast.lead)
    assert hidden_texts(client.get(url(cast, "item", item.public_id)).text) == 0


def test_of_blind_items_all_are_covered_so_that_a_cover_tells_nothing(cast: Cast, client: Client) -> None:
    item = new_item(cast)
    ReviewItem.objects.filter(pk=item.pk).update(severity=1, blind=True)
    claim_one(cast, member(cast, cast.reviewer))
    client.force_login(cast.reviewer)
    page = client.get(url(cast, "item", item.public_id)).text
    assert hidden_texts(page) > 1
    assert "EMAIL_ADDRESS" not in page[page.index('<div class="cover"') :].split("</div>")[0]


def test_a_reviewer_s_choice_goes_before_the_project_s(cast: Cast, client: Client, severe: ReviewItem) -> None:
    address = url(cast, "item", severe.public_id)
    client.force_login(cast.lead)
    assert client.post(url(cast, "wellness"), PROJECT | {"cover_from": "4", "look": "grey"}).status_code == 302
    [event] = events("review.wellness.changed")
    assert event["reason_codes"][2:] == ["cap_minutes:240", "cover_from:4", "look:grey"]
    client.force_login(cast.reviewer)
    page = client.get(address).text
    assert hidden_texts(page) == 0
    assert 'data-look="grey" data-reveal="hold"' in page
    assert "as the project has it (critical ones only)" in client.get(url(cast, "comfort")).text
    chosen = {"cover_from": "2", "look": "grey blur", "toggles": "on"}
    assert client.post(url(cast, "comfort"), chosen).status_code == 302
    page = client.get(address).text
    assert hidden_texts(page) > 3
    assert 'data-look="grey blur" data-reveal="toggle"' in page
    client.post(url(cast, "comfort"), {"cover_from": "", "look": ""})
    profile = ReviewerProfile.objects.get()
    assert (profile.cover_from, profile.look, profile.toggles) == (None, "", False)


@pytest.mark.parametrize("given", [{"cover_from": "9"}, {"look": "pink"}])
def test_a_choice_that_is_not_offered_is_refused(cast: Cast, client: Client, given: dict[str, str]) -> None:
    client.force_login(cast.lead)
    for page in ("comfort", "wellness"):
        assert client.post(url(cast, page), PROJECT | given).status_code == 400
    assert not ReviewerProfile.objects.exists()
