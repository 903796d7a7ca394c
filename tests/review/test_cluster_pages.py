"""What the page of an item's near-duplicates shows."""

from __future__ import annotations

from django.test import Client
from django.urls import reverse

from review.clusters.samples import changes
from review.models import ReviewItem
from review.services.grouping import group_items
from tests.factories import Cast
from tests.review.test_clusters import letter
from tests.review.working import claim_one, events, member, new_item


def page_of(cast: Cast, client: Client, item: ReviewItem, name: str = "cluster") -> str:
    client.force_login(cast.reviewer)
    return client.get(reverse(f"review:{name}", args=[cast.project.slug, item.public_id])).text


def test_the_item_says_how_many_near_duplicates_wait(cast: Cast, client: Client) -> None:
    first = letter(cast)
    for name in ("Bob", "Cy"):
        letter(cast, name)
    claim_one(cast, member(cast, cast.reviewer))
    assert "near-duplicate" not in page_of(cast, client, first, "item").split('id="keys"')[0]
    group_items()
    assert "2 near-duplicates wait" in page_of(cast, client, first, "item")


def test_the_most_different_ones_come_first_with_what_differs(cast: Cast, client: Client) -> None:
    first = letter(cast)
    near, far = letter(cast, "Bob"), letter(cast, "Bartholomew <b>", 12)
    for _ in range(4):
        letter(cast)
    group_items()
    text = page_of(cast, client, first)
    assert "6 near-duplicates of this output wait" in text
    assert text.index(far.public_id) < text.index(near.public_id)
    assert "<del>Ann</del><ins>Bartholomew &lt;" in text
    assert text.count('class="sample"') == 4


def test_reading_samples_is_recorded(cast: Cast, client: Client) -> None:
    first, second = letter(cast), letter(cast, "Bob")
    group_items()
    page_of(cast, client, first)
    assert [event["object"]["id"] for event in events("content.viewed")] == [str(second.id)]


def test_decided_ones_wait_no_more(cast: Cast, client: Client) -> None:
    first, second = letter(cast), letter(cast, "Bob")
    group_items()
    ReviewItem.objects.filter(pk=second.pk).update(state="decided")
    assert "Nothing like it waits any more" in page_of(cast, client, first)


def test_changes_show_the_edges_of_what_is_equal() -> None:
    long = " ".join(f"word{number}" for number in range(100))
    assert changes(f"a {long}", f"b {long}")[:2] == [("removed", "a"), ("added", "b")]
    assert ("cut", "…") in changes(f"{long}a {long}", f"{long}b {long}")
    assert changes("one text", "one text") == [("same", "one text")]
    assert changes("x" * 9000, "x" * 9000)[-1] == ("cut", "…")


def test_a_blind_item_shows_neither_marks_nor_others_like_it(cast: Cast, client: Client) -> None:
    first = new_item(cast)
    new_item(cast)
    group_items()
    assert "<mark" in page_of(cast, client, first)
    ReviewItem.objects.filter(pk=first.pk).update(blind=True)
    text = page_of(cast, client, first)
    assert "judged by itself" in text
    assert "<mark" not in text
    assert 'class="sample"' not in text
    assert "data-alike" not in page_of(cast, client, first, "item")
