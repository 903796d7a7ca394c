"""What the page of an item's near-duplicates shows."""

from __future__ import annotations

import datetime as dt
import re

from django.test import Client
from django.urls import reverse
from django.utils import timezone

from review.clusters.samples import changes
from review.models import Assignment, ClusterDecision, ExposureEntry, ReviewItem
from review.services.grouping import group_items
from tests.factories import Cast
from tests.review.test_cluster_decisions import decide
from tests.review.test_clusters import letter
from tests.review.working import claim_one, events, member, new_item, queue_of


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


def test_a_cluster_is_decided_and_taken_back_without_javascript(cast: Cast, client: Client) -> None:
    first, other = letter(cast), letter(cast, "Bob")
    group_items()
    slot = claim_one(cast, member(cast, cast.reviewer))
    assert slot.item_id == first.id
    text = page_of(cast, client, first)
    assert "Decide this and 1 like it" in text
    form = {
        name: text.split(f'name="{name}" value="')[1].split('"')[0]
        for name in ("token", "version", "submission", "until")
    }
    address = reverse("review:cluster-decide", args=[cast.project.slug, slot.id])
    assert (
        client.post(address, {**form, "outcome": "block", "note": "x", "until": "2026-02-30 10:00"}).status_code == 422
    )
    refused = client.post(address, {**form, "outcome": "block"})
    assert (refused.status_code, "Give a reason" in refused.text) == (422, True)
    answer = {"outcome": "block", "note": "Scam", "label-violence": "yes", "reason": "nothing"}
    refused = client.post(address, {**form, **answer})
    assert (refused.status_code, "rules is not in the policy" in refused.text) == (422, True)
    assert 'name="label-violence" value="yes" checked' in refused.text
    done = client.post(address, {**form, **answer, "reason": "moderation"}, follow=True)
    assert "and 1 like it" in done.text
    assert "Take all of it back" in done.text
    decided = ClusterDecision.objects.get()
    client.post(reverse("review:undo", args=[cast.project.slug, decided.decision_id]))
    assert "all of them wait again" in client.get(done.redirect_chain[-1][0]).text
    other.refresh_from_db()
    assert other.state == "pending"


def test_a_decision_of_another_project_is_not_shown(cast: Cast, client: Client) -> None:
    first = letter(cast)
    letter(cast, "Bob")
    group_items()
    decided = decide(cast, first)
    client.force_login(cast.outsider)
    for project, status in ((cast.project, 404), (cast.other_project, 404)):
        address = reverse("review:cluster-decision", args=[project.slug, decided.id])
        assert client.get(address).status_code == status


def test_the_page_says_why_a_queue_with_two_reviewers_has_no_common_decisions(cast: Cast, client: Client) -> None:
    queue_of(cast, required_reviews=2)
    first = letter(cast)
    letter(cast, "Bob")
    group_items()
    assert claim_one(cast, member(cast, cast.reviewer)).item_id == first.id
    text = page_of(cast, client, first)
    assert "2 people read each output" in text
    assert "Decide once for all" not in text


def test_all_texts_are_covered_as_soon_as_one_is_severe(cast: Cast, client: Client) -> None:
    first, other = letter(cast), letter(cast, "Bartholomew")
    group_items()
    claim_one(cast, member(cast, cast.reviewer))
    assert "data-covered" not in page_of(cast, client, first)
    ReviewItem.objects.filter(pk=other.pk).update(severity=4)
    text = page_of(cast, client, first)
    assert len(re.findall(r'class="text[^"]*" hidden data-covered', text)) == len(re.findall(r'class="text', text)) == 3
    assert "?show=text" in text
    address = reverse("review:cluster", args=[cast.project.slug, first.public_id])
    assert "data-covered" not in client.get(address, {"show": "text"}).text


def test_who_reads_the_page_keeps_the_item_and_it_counts_as_the_gravest_text(cast: Cast, client: Client) -> None:
    first, other = letter(cast), letter(cast, "Bob")
    group_items()
    slot = claim_one(cast, member(cast, cast.reviewer))
    ReviewItem.objects.filter(pk=first.pk).update(severity=1)
    ReviewItem.objects.filter(pk=other.pk).update(severity=4)
    soon = timezone.now() + dt.timedelta(seconds=5)
    Assignment.objects.filter(pk=slot.pk).update(shown_at=soon - dt.timedelta(minutes=2), lease_expires_at=soon)
    text = page_of(cast, client, first)
    beat, token, gravest = (
        text.split(f'data-{name}="')[1].split('"')[0] for name in ("heartbeat-url", "token", "gravest")
    )
    spent = {"token": token, "active_ms": "60000", "seen_ms": "30000"}
    assert client.post(beat, {**spent, "gravest": gravest}).json()["status"] == "extended"
    slot.refresh_from_db()
    assert slot.lease_expires_at is not None
    assert slot.lease_expires_at > soon + dt.timedelta(minutes=1)
    client.post(beat, {**spent, "active_ms": "70000"})
    [entry] = ExposureEntry.objects.all()
    assert (entry.severity, entry.active_seconds, entry.weighted_seconds) == (4, 70, 60), "what was counted stays"
    ReviewItem.objects.filter(pk=other.pk).update(blind=True)
    assert 'data-gravest="0"' in page_of(cast, client, first), "what is judged blind tells nothing"


def test_the_time_on_the_page_counts_as_exposure(cast: Cast, client: Client) -> None:
    first = letter(cast)
    letter(cast, "Bob")
    group_items()
    slot = claim_one(cast, member(cast, cast.reviewer))
    ReviewItem.objects.update(severity=4)
    Assignment.objects.filter(pk=slot.pk).update(shown_at=timezone.now() - dt.timedelta(minutes=2))
    text = page_of(cast, client, first)
    form = {
        name: text.split(f'name="{name}" value="')[1].split('"')[0]
        for name in ("token", "version", "submission", "until")
    }
    answer = {"outcome": "block", "note": "Scam", "active_ms": "60000", "seen_ms": "30000"}
    client.post(reverse("review:cluster-decide", args=[cast.project.slug, slot.id]), {**form, **answer})
    [entry] = ExposureEntry.objects.all()
    assert (entry.item, entry.active_seconds, entry.seen_seconds, entry.weighted_seconds) == (first, 60, 30, 60)
