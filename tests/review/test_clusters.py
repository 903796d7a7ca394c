"""Near-duplicate items find each other after they came in."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection

from review.models import ClusterBand, ReviewItem
from review.near import MAX_TEXT, similarity
from review.services import create_queue
from review.services.grouping import CANDIDATES, group_items
from review.services.queues import QUEUE_SETTINGS
from review.tasks import group_items as group_task
from tests.factories import Cast
from tests.review.working import member, new_item, queue_of
from webapp.interception.models import CheckContent

LETTER = (
    "Dear {name}, your parcel number {number} waits at the depot on Mill Road until Friday; bring a passport or "
    "another proof of who you are, and pay nothing at the door whatever anybody there tells you."
)


def letter(cast: Cast, name: str = "Ann", number: int = 4711) -> ReviewItem:
    return new_item(cast, output=LETTER.format(name=name, number=number), findings=[])


def cluster_of(item: ReviewItem) -> object:
    item.refresh_from_db()
    return item.cluster


def test_near_duplicates_share_the_cluster_of_the_first(cast: Cast) -> None:
    first, second = letter(cast), letter(cast, "Bob")
    other = new_item(cast, output="The kettle leaks when it is full; a new seal costs two pounds and takes a minute.")
    assert group_items() == 3
    assert cluster_of(first) == cluster_of(second) == first.id
    assert cluster_of(other) == other.id
    assert first.similarity == 1.0
    assert second.similarity is not None
    assert 0.8 <= second.similarity < 1.0


def test_later_ones_join_a_cluster_whose_first_is_decided(cast: Cast) -> None:
    first = letter(cast)
    group_items()
    ReviewItem.objects.update(state="decided")
    assert cluster_of(first) == first.id
    second = letter(cast, "Bob")
    group_task()
    assert cluster_of(second) == first.id


def test_grouping_twice_changes_nothing(cast: Cast) -> None:
    letter(cast)
    letter(cast, "Bob")
    group_items()
    before = list(ReviewItem.objects.order_by("id").values_list("cluster", "clustered_at"))
    assert group_items() == 0
    assert list(ReviewItem.objects.order_by("id").values_list("cluster", "clustered_at")) == before


def test_a_flood_of_one_text_adds_keys_once(cast: Cast) -> None:
    for number in range(5):
        letter(cast, number=number)
    group_items()
    assert ReviewItem.objects.values("cluster").distinct().count() == 1
    assert ClusterBand.objects.count() == 12


def test_items_of_other_queues_are_others(cast: Cast) -> None:
    first = letter(cast)
    second = letter(cast)
    settings = {name: getattr(first.queue, name) for name in QUEUE_SETTINGS}
    other = create_queue(project=cast.project, slug="b", settings=settings, membership=member(cast, cast.lead))
    ReviewItem.objects.filter(pk=second.pk).update(queue=other)
    group_items()
    assert cluster_of(first) != cluster_of(second)


@pytest.mark.parametrize(("asked", "same"), [("Is it open?", True), ("Should I tell her?", False)])
def test_short_outputs_are_the_same_only_in_the_same_conversation(cast: Cast, asked: str, same: bool) -> None:
    first = new_item(cast, output="Yes.", messages=[{"role": "user", "content": "Is it open?"}])
    second = new_item(cast, output="yes. ", messages=[{"role": "user", "content": asked}])
    group_items()
    assert (cluster_of(first) == cluster_of(second)) is same


def test_erased_texts_are_like_nothing(cast: Cast) -> None:
    items = [letter(cast), letter(cast), letter(cast)]
    CheckContent.objects.filter(checked=items[0].checked_id).update(output="", messages=[])
    CheckContent.objects.filter(checked=items[1].checked_id).delete()
    group_items()
    assert len({cluster_of(item) for item in items}) == 3


def test_what_differs_beyond_the_compared_part_is_another_text() -> None:
    long = "x y z " * (MAX_TEXT // 6 + 1)
    assert similarity(long + "a", long + "a") == 1.0
    assert similarity(long + "a", long + "b") == 0.0
    assert similarity("ab" * 30, "ab" * 31) < 1.0


def test_candidates_are_found_by_their_keys_alone(cast: Cast) -> None:
    queue = queue_of(cast)
    parameters: dict[str, Any] = {"keys": [1, 2], "queue": queue.id, "newest": 50, "compared": 8}
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")  # an empty table is read faster without an index
        cursor.execute(f"EXPLAIN {CANDIDATES}", parameters)
        plan = "\n".join(line for (line,) in cursor.fetchall())
    assert "Index Only Scan" in plan
    assert "Seq Scan" not in plan
