"""What leads do in the browser: schemas and queues, a search that is saved, many items at once, people, reopening."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from review.models import Assignment, Queue, ReviewItem
from review.tasks import sweep_bulk
from tests.factories import Cast
from tests.review.working import another, answer, claim_one, effects_now, member, new_item

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def test_a_lead_makes_a_schema_and_a_queue_and_a_reviewer_answers_by_it(
    cast: Cast, open_queues: Callable[..., Page]
) -> None:
    page = open_queues(cast.lead)
    page.get_by_role("link", name="Label schemas").click()
    page.get_by_role("link", name="New label schema").click()
    page.get_by_label("Name").fill("tone")
    page.get_by_label("Categories").fill("rude\nwrong")
    page.get_by_label("Rubric").fill("helpfulness: 5")
    page.get_by_role("button", name="Store the version").click()
    expect(page.get_by_role("heading", name="tone")).to_be_visible()
    page.get_by_role("link", name="Back to the queues").click()
    page.get_by_role("link", name="New queue").click()
    page.get_by_label("Name").fill("Tone of answers")
    page.get_by_label("Slug").fill("tone")
    page.get_by_label("Label schema").select_option(label="tone v1")
    page.get_by_role("button", name="Make the queue").click()
    expect(page.get_by_role("row", name="Tone of answers")).to_be_visible()
    new_item(cast)
    item = ReviewItem.objects.get()
    queue = Queue.objects.get(slug="tone")
    Assignment.objects.filter(item=item).update(queue=queue)
    ReviewItem.objects.update(queue=queue)
    desk = open_queues(cast.reviewer)
    desk.get_by_role("row", name="Tone of answers").get_by_role("button", name="Start reviewing").click()
    desk.wait_for_url(f"**/{item.public_id}/")
    desk.keyboard.press("2")
    desk.get_by_role("radiogroup", name="helpfulness").get_by_label("4").check()
    desk.keyboard.press("b")
    desk.keyboard.press("b")
    desk.wait_for_url("**/review/")
    stored = item.annotations.get()
    assert (stored.outcome, stored.labels, stored.rubric) == ("block", {"wrong": True}, {"helpfulness": 4})


def test_a_lead_keeps_a_search_and_changes_what_it_finds(cast: Cast, open_queues: Callable[..., Page]) -> None:
    found = [new_item(cast) for _ in range(2)]
    other = new_item(cast, verdict="block", review="flagged")
    page = open_queues(cast.lead)
    page.get_by_role("link", name="All items").click()
    page.get_by_text("More filters").click()
    page.get_by_label("Machine's verdict").select_option("hold")
    page.get_by_label("Words in the output or the messages").fill("Ann")
    page.get_by_role("button", name="Show", exact=True).click()
    expect(page.locator("tbody tr")).to_have_count(2)
    page.get_by_label("Save this filter as").fill("Ann, held")
    page.get_by_role("button", name="Save", exact=True).click()
    page.get_by_role("link", name="Show all").click()
    expect(page.locator("tbody tr")).to_have_count(3)
    page.get_by_role("link", name="Ann, held", exact=True).click()
    page.get_by_role("link", name="Change all of these").click()
    expect(page.get_by_text("2 open items match")).to_be_visible()
    page.get_by_label("set the severity").check()
    page.get_by_role("combobox", name="Severity").select_option("critical")
    page.get_by_label("Why?").fill("A name in public.")
    page.get_by_role("button", name="Next: confirm").click()
    page.get_by_role("button", name="Change 2 items").click()
    before = set(ReviewItem.objects.values_list("severity", flat=True))
    sweep_bulk()
    page.reload()
    expect(page.get_by_text("2 changed")).to_be_visible()
    assert ReviewItem.objects.filter(pk__in=[item.pk for item in found], severity=4).count() == 2
    assert {ReviewItem.objects.get(pk=other.pk).severity} <= before
    page.get_by_role("button", name="Undo").click()
    sweep_bulk()
    page.reload()
    expect(page.get_by_text("2 as before")).to_be_visible()
    assert set(ReviewItem.objects.values_list("severity", flat=True)) == before


def test_a_lead_gives_an_item_to_somebody_and_reopens_what_is_decided(
    cast: Cast, open_queues: Callable[..., Page]
) -> None:
    second = another(cast, "second")
    decided, waiting = new_item(cast), new_item(cast)
    lead = member(cast, cast.lead)
    done = answer(claim_one(cast, lead), lead, "release")
    assert done.decision is not None
    effects_now(done.decision)
    page = open_queues(cast.lead)
    base = page.url
    page.goto(f"{base}items/{waiting.public_id}/")
    page.get_by_label("Assign to").select_option("second")
    page.get_by_role("button", name="Assign").click()
    expect(page.get_by_text("assigned to second until")).to_be_visible()
    assert waiting.assignments.get().assignee == second.user
    page.goto(f"{base}items/{decided.public_id}/")
    page.get_by_text("Open it again").click()
    page.get_by_label("Why?").fill("The name is real.")
    page.get_by_role("button", name="Open again").click()
    expect(page.get_by_text("The name is real.")).to_be_visible()
    decided.refresh_from_db()
    assert (decided.state, decided.cycle) == ("reopened", 2)
