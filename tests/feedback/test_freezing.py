"""What a frozen version holds, and that it holds it for ever."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from typing import Any

import pytest
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from feedback import freezing, membership
from feedback.errors import NothingDecided
from feedback.filters import Filters
from feedback.models import Dataset, DatasetVersion, SplitLedger
from feedback.services import create_dataset, freeze_version
from review.models import Assignment, ReviewItem
from review.models.items import SlotRole
from review.services import undo_decision
from tests.factories import Cast, make_check
from tests.feedback.deciding import a_mixture, decide, decide_one, put, words
from tests.review.working import answer as submit
from tests.review.working import claim_one, effects_now, member, queue_of
from webapp.audit.merkle import Frontier, leaf_hash
from webapp.audit.models import AuditEvent


def dataset_of(cast: Cast, slug: str = "first", **filters: Any) -> Dataset:
    return create_dataset(project=cast.project, slug=slug, name=slug.title(), filters=Filters(**filters))


def records(version: DatasetVersion) -> list[dict[str, Any]]:
    return [json.loads(row.record) for row in version.members.order_by("index")]


def splits(version: DatasetVersion) -> dict[str, str]:
    return {record["id"]: record["split"] for record in records(version)}


def test_the_same_data_gives_the_same_digest(cast: Cast) -> None:
    a_mixture(cast)
    dataset = dataset_of(cast)

    first, second = freeze_version(dataset=dataset), freeze_version(dataset=dataset)

    assert (first.version, second.version) == (1, 2)
    assert first.digest == second.digest
    assert first.split_counts == {"train": 4, "validation": 4, "test": 4}


@pytest.mark.parametrize("page", [1, 5])
def test_the_digest_does_not_depend_on_the_size_of_pages(cast: Cast, monkeypatch: Any, page: int) -> None:
    a_mixture(cast)
    dataset = dataset_of(cast)
    first = freeze_version(dataset=dataset)
    monkeypatch.setattr(membership, "PAGE", page)
    monkeypatch.setattr(freezing, "PAGE", page)

    assert freeze_version(dataset=dataset).digest == first.digest


def test_the_digest_is_the_merkle_root_of_the_row_hashes(cast: Cast) -> None:
    a_mixture(cast, splits=("train",))
    version = freeze_version(dataset=dataset_of(cast))

    root = Frontier()
    for row in version.members.order_by("index"):
        assert row.sha256 == hashlib.sha256(row.record.encode()).hexdigest()
        root.append(leaf_hash(bytes.fromhex(row.sha256)))
    assert version.digest == root.root().hex()


def test_a_later_decision_changes_a_new_version_and_no_old_one(cast: Cast) -> None:
    decide_one(cast, "release", "a", number=1)
    dataset = dataset_of(cast)
    first = freeze_version(dataset=dataset)
    decide_one(cast, "block", "b", number=2)

    second = freeze_version(dataset=dataset)

    first.refresh_from_db()
    assert (first.rows, second.rows) == (1, 2)
    assert first.members.count() == 1
    assert first.digest != second.digest


def test_a_conversation_stays_in_its_split(cast: Cast) -> None:
    put(cast, "long", "test")
    for number in range(4):
        decide_one(cast, "release", "long", number=number)

    version = freeze_version(dataset=dataset_of(cast))

    assert set(splits(version).values()) == {"test"}
    assert version.leakage["groups"] == 1


def test_near_duplicates_of_other_conversations_join_the_group(cast: Cast) -> None:
    text = " ".join(words(number) for number in range(5))
    put(cast, "a", "validation")
    decide(cast, output=text, conversation_id="a", findings=[])
    decide(cast, output=text.upper() + " Bye.", conversation_id="b", findings=[])
    decide(cast, output=words(99), conversation_id="a", findings=[])

    version = freeze_version(dataset=dataset_of(cast))

    assert set(splits(version).values()) == {"validation"}
    assert version.leakage["largest_group"] == 3
    assert version.leakage["near_duplicates_grouped"] == 1


def test_short_answers_do_not_tie_conversations_together(cast: Cast) -> None:
    for number in range(3):
        question = [{"role": "user", "content": f"Question {number}?"}]
        decide(cast, output="Yes.", conversation_id=f"c{number}", messages=question, findings=[])

    assert freeze_version(dataset=dataset_of(cast)).leakage["groups"] == 3


def test_of_exact_duplicates_the_newest_decision_stays(cast: Cast) -> None:
    decide(cast, output=words(1), outcome="release", findings=[])
    newest = decide(cast, output=words(1), outcome="block", findings=[])

    version = freeze_version(dataset=dataset_of(cast))

    assert [record["id"] for record in records(version)] == [newest.public_id]
    assert version.leakage["exact_duplicates_removed"] == 1


def test_training_data_never_becomes_test_data(cast: Cast) -> None:
    dataset = dataset_of(cast)
    put(cast, "trained", "train")
    put(cast, "tested", "test")
    trained = decide_one(cast, "release", "trained", number=1)
    tested = decide_one(cast, "release", "tested", number=2)
    assert splits(freeze_version(dataset=dataset)) == {trained.public_id: "train", tested.public_id: "test"}
    # One text in both conversations makes them one group: from now on it is test data.
    bridge = " ".join(words(number) for number in range(40, 45))
    joined = [
        decide(cast, output=bridge + end, conversation_id=c, findings=[])
        for c, end in (("tested", ""), ("trained", "!"))
    ]

    second = freeze_version(dataset=dataset)

    assert splits(second) == {tested.public_id: "test", joined[0].public_id: "test"}
    assert second.leakage["quarantined"] == 2
    assert second.leakage["groups_in_two_splits"] == 0


def test_the_ledger_holds_across_datasets_of_a_project(cast: Cast) -> None:
    decide_one(cast, "release", "shared", number=1)
    first = freeze_version(dataset=dataset_of(cast))
    ledger = dict(SplitLedger.objects.values_list("group_key", "split"))

    second = freeze_version(dataset=dataset_of(cast, slug="second", outcomes=("release",)))

    assert splits(first) == splits(second)
    assert dict(SplitLedger.objects.values_list("group_key", "split")) == ledger


def test_filters_choose_by_outcome_category_queue_assistance_and_day(cast: Cast) -> None:
    a_mixture(cast, splits=("train",))
    today = timezone.now().date()
    tomorrow = today + dt.timedelta(days=1)

    def rows(**filters: Any) -> int:
        dataset = dataset_of(cast, slug=f"d{Dataset.objects.count()}", **filters)
        try:
            return freeze_version(dataset=dataset).rows
        except NothingDecided:
            return 0

    assert rows(outcomes=("block", "release")) == 2
    assert rows(categories=("harassment",)) == 2  # redacted says no, released dropped it
    assert rows(categories=("violence",)) == 0
    assert rows(queues=("default",)) == 4
    assert rows(queues=("nowhere",)) == 0
    assert rows(assistance=("shown",)) == 4
    assert rows(assistance=("blind",)) == 0
    assert rows(since=today, until=today) == 4
    assert rows(since=tomorrow) == 0
    assert rows(until=today - dt.timedelta(days=1)) == 0


def test_undecided_items_and_other_projects_stay_out(cast: Cast) -> None:
    decided = decide_one(cast, "release", "a", number=1)
    make_check(cast, output=words(5))
    elsewhere = decide_one(cast, "release", "b", number=2)
    ReviewItem.objects.filter(pk=elsewhere.pk).update(project=cast.other_project)

    assert [record["id"] for record in records(freeze_version(dataset=dataset_of(cast)))] == [decided.public_id]


def test_a_decision_is_data_once_it_can_not_be_taken_back(cast: Cast) -> None:
    reviewer = member(cast, cast.reviewer)
    queue_of(cast, undo_seconds=10)
    make_check(cast, output=words(5))
    first = submit(claim_one(cast, reviewer), reviewer).decision
    assert first is not None
    with pytest.raises(NothingDecided):
        freeze_version(dataset=dataset_of(cast))
    undo_decision(decision=first, membership=reviewer)
    second = submit(claim_one(cast, reviewer), reviewer, "block").decision
    assert second is not None
    effects_now(second)
    [record] = records(freeze_version(dataset=Dataset.objects.get()))
    assert record["outcome"] == "block"
    assert len(record["answers"]) == 1


def test_answers_of_quality_checks_stay_out(cast: Cast) -> None:
    item = decide_one(cast, "release", "a", number=1)
    Assignment.objects.filter(item=item).update(role=SlotRole.QA)

    record = records(freeze_version(dataset=dataset_of(cast)))[0]

    assert (record["answers"], record["labels"], record["verdict"]) == ([], {}, None)


def test_items_that_an_appeal_decided_stay_out(cast: Cast) -> None:
    item = decide_one(cast, "release", "a", number=1)
    item.decisions.update(method="appeal")

    with pytest.raises(NothingDecided, match="Decide items in review first"):
        freeze_version(dataset=dataset_of(cast))


def test_freezing_is_recorded_with_its_counts_and_without_names(cast: Cast) -> None:
    a_mixture(cast, splits=("train", "test"))
    version = freeze_version(dataset=dataset_of(cast), created_by=cast.lead)

    event = AuditEvent.objects.get(type="dataset.version.created")

    envelope = json.loads(bytes(event.envelope))
    assert envelope["object"] == {"kind": "dataset_version", "id": str(version.id), "rev": version.digest}
    assert envelope["counts"]["train"] == envelope["counts"]["test"] == 4
    assert envelope["actor"]["ref"] == str(cast.lead.id)
    assert "lead" not in bytes(event.envelope).decode()


def test_the_number_of_queries_does_not_grow_with_the_items(
    cast: Cast, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    a_mixture(cast)
    dataset = dataset_of(cast)

    with django_assert_max_num_queries(50):
        freeze_version(dataset=dataset)
