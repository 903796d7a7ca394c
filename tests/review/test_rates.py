"""Shares of a queue's items: who draws them, what is stored, what follows."""

from __future__ import annotations

import uuid
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from pytest_django import Settings

from review.draws import is_drawn, share_of
from review.models import ReviewItem
from tests.factories import Cast
from tests.review.test_queue_pages import SETTINGS, edit_url, filled, new_url
from tests.review.working import another, answer, claim_one, events, new_item, queue_of


def test_a_draw_can_be_repeated_and_not_guessed(settings: Settings) -> None:
    ids = [uuid.uuid4() for _ in range(2000)]
    drawn = {key for key in ids if is_drawn(key, "blind", 0.2)}
    assert 300 < len(drawn) < 500
    assert drawn == {key for key in ids if is_drawn(key, "blind", 0.2)}
    assert drawn < {key for key in ids if is_drawn(key, "blind", 0.3)}
    assert drawn != {key for key in ids if is_drawn(key, "overlap", 0.2)}, "one draw says nothing of another"
    settings.SECRET_KEY = "another secret"
    assert drawn != {key for key in ids if is_drawn(key, "blind", 0.2)}


def test_the_ends_of_the_scale_draw_nothing_and_all() -> None:
    ids = [uuid.uuid4() for _ in range(50)]
    assert not any(is_drawn(key, "qa", 0.0) for key in ids)
    assert all(is_drawn(key, "qa", 1.0) for key in ids)
    assert all(0 <= share_of(key, "qa") < 1 for key in ids)


def test_what_was_drawn_stays_with_the_item(cast: Cast) -> None:
    queue_of(cast, blind_rate=1.0, overlap_rate=0.0, qa_rate=1.0)
    item = new_item(cast)
    queue_of(cast, blind_rate=0.0, qa_rate=0.0)
    assert (item.blind, item.blind_prob) == (True, 1.0)
    assert (item.overlap, item.overlap_prob) == (False, 0.0)
    assert (item.qa, item.qa_prob) == (True, 1.0)
    assert not new_item(cast).blind


def test_an_overlap_item_is_answered_by_one_more(cast: Cast) -> None:
    queue_of(cast, overlap_rate=1.0)
    item = new_item(cast)
    assert list(item.assignments.order_by("slot_no").values_list("role", flat=True)) == ["primary", "overlap"]
    for name in ("first", "second"):
        who = another(cast, name)
        answer(claim_one(cast, who), who, "block")
    item.refresh_from_db()
    assert item.decisions.get().method == "consensus"


def test_a_lead_sets_the_shares(cast: Cast, client: Client) -> None:
    queue_of(cast)
    client.force_login(cast.lead)
    sent = filled(client, edit_url(cast), blind_rate="0.25", overlap_rate="0.1")
    assert client.post(edit_url(cast), sent).status_code == 302
    queue = queue_of(cast)
    assert (queue.blind_rate, queue.overlap_rate) == (0.25, 0.1)
    [event] = events("review.queue.changed")
    assert (event["counts"]["blind_rate_permille"], event["counts"]["blind_rate_permille_was"]) == (250, 0)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"blind_rate": "1.5"}, "less than or equal to 1"),
        ({"overlap_rate": "-0.1"}, "greater than or equal to 0"),
        ({"overlap_rate": "0.1", "max_reviews": "2"}, "Give at least 3: a share of the items gets one review more."),
    ],
)
def test_shares_that_can_not_be_are_refused(cast: Cast, client: Client, change: dict[str, Any], says: str) -> None:
    client.force_login(cast.lead)
    response = client.post(new_url(cast), SETTINGS | {"slug": "s"} | change)
    assert response.status_code == 400
    assert says in response.text


def test_the_list_of_items_does_not_tell_what_the_machine_said_of_a_blind_one(cast: Cast, client: Client) -> None:
    queue_of(cast, blind_rate=1.0)
    item = new_item(cast)
    url = reverse("review:browse", args=[cast.project.slug])
    client.force_login(cast.reviewer)
    assert "medium" not in _row(client.get(url).text, item)
    client.force_login(cast.compliance)
    assert "medium" in _row(client.get(url).text, item)


def _row(page: str, item: ReviewItem) -> str:
    start = page.index(item.public_id)
    return page[start : page.index("</tr>", start)]
