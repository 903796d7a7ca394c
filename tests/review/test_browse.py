"""Find items: by what they are, by words, page by page."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from review.browse import finding
from review.browse.finding import find_items
from review.models import ReviewItem, SavedFilter, SearchText
from review.search import matching
from review.services import skip
from tests.factories import Cast, make_check
from tests.review.working import answer, claim_one, member, new_item
from webapp.interception.models import CheckContent


def url(cast: Cast, **query: str) -> str:
    return reverse("review:browse", args=[cast.project.slug], query=query)


def found(cast: Cast, **filters: Any) -> list[ReviewItem]:
    return find_items(project=cast.project, filters=filters)[0]


def listed(client: Client, cast: Cast, **query: str) -> list[ReviewItem]:
    items: list[ReviewItem] = client.get(url(cast, **query)).context["items"]
    return items


def decide(cast: Cast, outcome: str, **check: Any) -> ReviewItem:
    item = new_item(cast, **check)
    reviewer = member(cast, cast.reviewer)
    answer(claim_one(cast, reviewer), reviewer, outcome)
    item.refresh_from_db()
    return item


def test_filters_choose_items(cast: Cast, client: Client) -> None:
    blocked = decide(cast, "block")
    sampled = decide(cast, "release", verdict="allow", findings=[], review="sampled")
    now = timezone.now()
    waiting = new_item(cast)
    ReviewItem.objects.filter(pk=waiting.pk).update(severity=4, sla_due_at=now - dt.timedelta(minutes=1))
    ReviewItem.objects.filter(pk=blocked.pk).update(created_at=now - dt.timedelta(days=2))
    client.force_login(cast.lead)
    yesterday = (now - dt.timedelta(days=1)).isoformat()
    for query, expected in (
        ({"state": "open"}, [waiting]),
        ({"state": "decided"}, [sampled, blocked]),
        ({"state": "leads"}, []),
        ({"outcome": "block"}, [blocked]),
        ({"outcome": "changed"}, [blocked]),
        ({"verdict": "allow"}, [sampled]),
        ({"rule": "pii"}, [waiting, blocked]),
        ({"rule": "-"}, [sampled]),
        ({"category": "harassment", "state": "open"}, [waiting]),
        ({"severity": "critical"}, [waiting]),
        ({"severity": "low"}, [sampled]),
        ({"due": "overdue"}, [waiting]),
        ({"due": "hour"}, []),
        ({"queue": "default", "reviewer": str(cast.reviewer.id)}, [sampled, blocked]),
        ({"reviewer": str(cast.lead.id)}, []),
        ({"application": str(cast.application.id), "state": "open"}, [waiting]),
        ({"until": yesterday}, [blocked]),
        ({"time": "decided", "since": yesterday}, [sampled, blocked]),
    ):
        assert listed(client, cast, **query) == expected, query


def test_skipped_items_are_found_by_reason_and_time(cast: Cast, client: Client) -> None:
    item = new_item(cast)
    who = member(cast, cast.reviewer)
    slot = claim_one(cast, who)
    assert slot.lease_token is not None
    skip(slot=slot, membership=who, lease_token=slot.lease_token, reason="unclear")
    new_item(cast)
    client.force_login(cast.lead)
    hour_ago = (timezone.now() - dt.timedelta(hours=1)).isoformat()
    assert listed(client, cast, skipped="unclear", time="skipped", since=hour_ago) == [item]
    assert listed(client, cast, skipped="unclear", time="skipped", until=hour_ago) == []
    assert listed(client, cast, skipped="wrong language") == []


@pytest.mark.parametrize(
    ("words", "matches"),
    [
        ("kettle", True),
        ("KETTLE leaks", True),
        ('"kettle leaks"', True),
        ('"leaks kettle"', False),
        ("kettle -Ann", False),
        ("Wasserkocher", True),
        ("part", True),
        ("user", False),
        ("' OR 1=1 --", False),
        ("((( & |", False),
    ],
)
def test_words_are_found_in_the_output_and_the_messages(cast: Cast, words: str, matches: bool) -> None:
    parts = {"role": "user", "content": [{"type": "text", "text": "One part. Der Wasserkocher tropft."}]}
    item = new_item(cast, output="The kettle leaks, says Ann.", messages=[parts])
    new_item(cast, output="Nothing of the kind.", messages=[{"role": "user", "content": "Hello"}])
    assert found(cast, q=words) == ([item] if matches else [])


def test_erased_texts_are_not_found(cast: Cast) -> None:
    kept, changed, deleted = (new_item(cast, output=f"The kettle {n} leaks") for n in "abc")
    CheckContent.objects.filter(checked=changed.checked).update(output="", messages=[])
    CheckContent.objects.filter(checked=deleted.checked).delete()
    assert found(cast, q="kettle") == [kept]
    assert "kettle" not in SearchText.objects.get(checked=changed.checked).words
    assert not SearchText.objects.filter(checked=deleted.checked).exists()


@pytest.mark.parametrize("output", [" ".join(f"{n:x}-\u00e4{n}" for n in range(120_000)), "\u6f22" * 300_000])
def test_a_text_with_too_many_words_is_still_taken_in(cast: Cast, output: str) -> None:
    item = new_item(cast, output=f"beginning {output}")
    assert found(cast, q="beginning") == [item]


def test_pages_stay_where_they_are_while_items_come_in(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(finding, "PAGE_SIZE", 2)
    items = [new_item(cast) for _ in range(5)]
    ReviewItem.objects.update(created_at=timezone.now())  # all at one moment: the id alone tells them apart
    first, more = find_items(project=cast.project, filters={})
    newest = new_item(cast)
    second, _ = find_items(project=cast.project, filters={}, after=first[-1].public_id)
    third, last = find_items(project=cast.project, filters={}, after=second[-1].public_id)
    seen = [*first, *second, *third]
    assert (more, last) == (True, False)
    assert sorted(item.id for item in seen) == sorted(item.id for item in items)
    assert newest not in seen


@pytest.mark.parametrize("after", ["", "rvw_", "nonsense", "rvw_" + "0" * 32, "\0"])
def test_a_page_after_no_item_is_the_first(cast: Cast, client: Client, after: str) -> None:
    item = new_item(cast)
    client.force_login(cast.lead)
    assert listed(client, cast, after=after) == [item]


@pytest.mark.parametrize(
    "query",
    [{"state": "x"}, {"since": "soon"}, {"q": "x" * 201}, {"q": "a\0b"}, {"application": "1"}, {"queue": "other"}],
)
def test_a_filter_that_is_not_right_lists_nothing(cast: Cast, client: Client, query: dict[str, str]) -> None:
    new_item(cast)
    client.force_login(cast.lead)
    page = client.get(url(cast, **query))
    assert page.status_code == 422
    assert page.context["items"] == []


def test_reviewers_do_not_ask_what_a_person_answered(cast: Cast, client: Client) -> None:
    item = decide(cast, "block")
    client.force_login(cast.reviewer)
    page = client.get(url(cast, reviewer=str(cast.lead.id)))
    assert list(page.context["items"]) == [item]
    assert "Answered by" not in page.text


def test_items_of_other_projects_are_not_found(cast: Cast, client: Client) -> None:
    item = new_item(cast)
    client.force_login(cast.outsider)
    elsewhere = reverse("review:browse", args=[cast.other_project.slug], query={"after": item.public_id})
    assert client.get(elsewhere).context["items"] == []


def test_a_long_list_takes_no_more_queries(
    cast: Cast, client: Client, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    for _ in range(6):
        decide(cast, "block")
    client.force_login(cast.lead)
    with django_assert_num_queries(
        9
    ):  # session, user, membership; queues, applications, people; items, decisions, saved
        client.get(url(cast))


def test_a_filter_is_saved_for_one_person(cast: Cast, client: Client) -> None:
    client.force_login(cast.lead)
    save = reverse("review:filter-save", args=[cast.project.slug])
    for query in ("state=open&after=rvw_1&evil=1", "state=decided&q="):
        client.post(save, {"name": "Mine", "query": query})
    [stored] = SavedFilter.objects.all()
    assert stored.query == "state=decided"
    assert ">Mine</a>" in client.get(url(cast)).text
    assert client.post(save, {"name": "", "query": ""}).status_code == 302
    forget = reverse("review:filter-delete", args=[cast.project.slug, stored.id])
    client.force_login(cast.owner)
    assert ">Mine</a>" not in client.get(url(cast)).text
    assert client.post(forget).status_code == 404
    client.force_login(cast.lead)
    client.post(forget)
    assert not SavedFilter.objects.exists()


def test_filters_of_one_person_have_an_end(cast: Cast, client: Client) -> None:
    client.force_login(cast.lead)
    SavedFilter.objects.bulk_create(
        SavedFilter(project=cast.project, user=cast.lead, name=str(number), query="") for number in range(50)
    )
    save = reverse("review:filter-save", args=[cast.project.slug])
    page = client.post(save, {"name": "One more", "query": "state=open"}, follow=True).text
    assert "delete one first" in page
    client.post(save, {"name": "7", "query": "state=open"})
    assert SavedFilter.objects.count() == 50
    assert SavedFilter.objects.get(name="7").query == "state=open"


def test_the_words_of_a_search_are_found_by_an_index(cast: Cast) -> None:
    make_check(cast, output="The kettle leaks")
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")  # one row is read faster without an index
    assert "search_words" in SearchText.objects.filter(words=matching("kettle")).explain()
