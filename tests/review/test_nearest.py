"""The console shows what was decided of nearly the same outputs, unless it would sway who is to judge alone."""

from __future__ import annotations

from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from review.models import ReviewItem
from review.nearest import nearest_decided
from review.services.grouping import group_items
from tests.factories import Cast
from tests.review.golden import golden_of, probe_of
from tests.review.test_cluster_decisions import letter
from tests.review.working import another, answer, claim_one, effects_now, member, queue_of


def decided(cast: Cast, name: str, outcome: str = "block") -> ReviewItem:
    """Have somebody decide a letter, so long ago that it holds."""
    item = letter(cast, name)
    group_items()
    who = member(cast, cast.lead)
    slot = claim_one(cast, who)
    assert slot.item_id == item.id
    decision = answer(slot, who, outcome).decision
    assert decision is not None
    effects_now(decision)
    return item


def page_of(cast: Cast, client: Client, item: ReviewItem) -> str:
    client.force_login(cast.reviewer)
    return client.get(reverse("review:item", args=[cast.project.slug, item.public_id])).text


def test_the_newest_three_are_shown_with_what_came_of_them(cast: Cast, client: Client) -> None:
    four = [decided(cast, name, outcome) for name, outcome in zip("ABCD", ["block", "release"] * 2, strict=True)]
    item = letter(cast, "Eve")
    assert "nearly the same" not in page_of(cast, client, item)
    group_items()
    text = page_of(cast, client, item)
    assert [one.public_id in text for one in four] == [False, True, True, True]
    assert "Decided before, nearly the same" in text


def test_what_can_be_taken_back_or_was_opened_again_is_not_shown(cast: Cast) -> None:
    first, second = decided(cast, "Ann"), decided(cast, "Bob")
    ReviewItem.objects.filter(pk=first.pk).update(decided_at="2999-01-01T00:00Z")
    ReviewItem.objects.filter(pk=second.pk).update(state="reopened")
    item = letter(cast, "Cy")
    group_items()
    item.refresh_from_db()
    assert nearest_decided(item) == []


def test_who_is_to_judge_alone_sees_none_before_it_is_decided(cast: Cast, client: Client) -> None:
    before = decided(cast, "Ann")
    queue_of(cast, required_reviews=2)
    double = letter(cast, "Bob")
    queue_of(cast, required_reviews=1, blind_rate=1.0)
    blind = letter(cast, "Cy")
    group_items()
    for item in (double, blind):
        assert before.public_id not in page_of(cast, client, item)
    queue_of(cast, blind_rate=0.0)
    for who in (member(cast, cast.reviewer), another(cast, "second")):
        decision = answer(claim_one(cast, who), who).decision
    assert decision is not None
    effects_now(decision)
    assert before.public_id in page_of(cast, client, double)


def test_a_probe_shows_what_its_original_would_but_not_the_original(cast: Cast, client: Client) -> None:
    other, source = decided(cast, "Ann"), decided(cast, "Bob")
    probe = probe_of(cast, golden_of(cast, source))
    ordinary = letter(cast, "Cy")
    group_items()
    for item in (probe, ordinary):
        text = page_of(cast, client, item)
        assert other.public_id in text
        assert source.public_id not in text


def test_they_are_found_by_an_index_and_in_one_query(cast: Cast) -> None:
    decided(cast, "Ann")
    item = letter(cast, "Bob")
    group_items()
    item.refresh_from_db()
    with CaptureQueriesContext(connection) as queries:
        assert len(nearest_decided(item)) == 1
    [query] = queries
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")  # a small table is read faster without an index
        cursor.execute(f"EXPLAIN {query['sql']}")
        plan = "\n".join(line for (line,) in cursor.fetchall())
    assert "item_cluster_decided" in plan
    assert "Seq Scan" not in plan
