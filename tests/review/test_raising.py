from __future__ import annotations

import pytest
from django.db import transaction

from review.models import ItemTrigger, LabelSchemaVersion, Queue, ReviewItem
from review.services import claim_items, ensure_default_queue, raise_item
from screening.categories import MODERATION_CATEGORIES
from tests.factories import Cast, make_check
from tests.review.working import answer, claim_one, events, member, new_item, queue_of


def test_a_held_check_becomes_an_item_with_a_slot_in_the_default_queue(cast: Cast) -> None:
    item = new_item(cast)
    assert item.queue.slug == "default"
    assert item.state == "pending"
    assert [slot.role for slot in item.assignments.all()] == ["primary"]
    assert [trigger.kind for trigger in item.triggers.all()] == ["held"]
    [event] = events("review.item.created")
    assert event["reason_codes"] == ["severity:2", "trigger:held"]


def test_a_queue_of_two_reviews_makes_two_slots(cast: Cast) -> None:
    queue_of(cast, required_reviews=2)
    assert [slot.role for slot in new_item(cast).assignments.order_by("slot_no")] == ["primary", "overlap"]


def test_a_second_trigger_joins_the_open_item_and_a_reviewer_must_see_it(cast: Cast) -> None:
    item = new_item(cast, review="sampled", findings=[], verdict="allow")
    check = item.checked
    check.findings.create(
        rule="m", detector="moderation", category="self-harm", score=0.9, action="flag", target="output"
    )
    again = raise_item(check=check, kind="late")
    assert again.id == item.id
    assert ReviewItem.objects.count() == 1
    assert set(item.triggers.values_list("kind", flat=True)) == {"sampled", "late"}
    assert (again.version, again.severity) == (2, 4)
    assert item.assignments.get().priority == pytest.approx(3.6)


def test_a_trigger_after_the_decision_raises_a_new_item(cast: Cast) -> None:
    item = new_item(cast)
    reviewer = member(cast, cast.reviewer)
    answer(claim_one(cast, reviewer), reviewer)
    assert raise_item(check=item.checked, kind="late").id != item.id


def test_a_check_that_is_not_stored_raises_no_item(cast: Cast) -> None:
    def store_and_fail() -> None:
        with transaction.atomic():
            make_check(cast)
            raise RuntimeError

    with pytest.raises(RuntimeError):
        store_and_fail()
    assert not ItemTrigger.objects.exists()


def test_graver_and_riskier_items_come_first_and_samples_last(cast: Cast) -> None:
    def finding(category: str, score: float) -> list[dict[str, object]]:
        return [{"rule": "m", "detector": "moderation", "category": category, "score": score, "action": "flag"}]

    sampled = new_item(cast, review="sampled", verdict="allow", findings=[], inclusion_prob=0.01)
    mild = new_item(cast, review="flagged", verdict="allow", findings=finding("profanity", 0.9))
    grave = new_item(cast, review="flagged", verdict="allow", findings=finding("self-harm", 0.9))
    unsure = new_item(cast, review="flagged", verdict="allow", findings=finding("self-harm", 0.6))
    slots = claim_items(queue=queue_of(cast), membership=member(cast, cast.reviewer), k=4)
    assert [slot.item_id for slot in slots] == [grave.id, unsure.id, mild.id, sampled.id]
    assert sampled.triggers.get().inclusion_prob == pytest.approx(0.01)


def test_the_default_queue_is_made_once_with_all_categories(cast: Cast) -> None:
    first = ensure_default_queue(project=cast.project)
    assert ensure_default_queue(project=cast.project) == first
    assert Queue.objects.count() == LabelSchemaVersion.objects.count() == 1
    assert first.label_schema.definition["categories"] == list(MODERATION_CATEGORIES)
