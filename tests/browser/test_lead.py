"""What leads do in the browser: schemas and queues, searches, many items at once, people, reopening."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from review.models import Assignment, Queue, ReviewItem
from review.tasks import sweep_bulk
from tests.factories import Cast
from tests.review.working import another, answer, claim_one, effects_now, member, new_item, queue_of

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
    page.get_by_label("Rationale snippets").fill("It is rude.")
    page.get_by_label("Hotkeys").fill("5: wrong\n7: It is rude.")
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
    desk.keyboard.press("5")
    desk.get_by_role("radiogroup", name="helpfulness").get_by_label("4").check()
    desk.keyboard.press("7")
    expect(desk.get_by_label("It is rude.")).to_be_checked()
    desk.keyboard.press("b")
    desk.keyboard.press("b")
    desk.wait_for_url("**/review/")
    stored = item.annotations.get()
    assert (stored.outcome, stored.labels, stored.rubric) == ("block", {"wrong": True}, {"helpfulness": 4})
    assert stored.rationale == "It is rude."
    page.get_by_role("link", name="Label schemas").click()
    page.get_by_role("link", name=re.compile("New version ?: tone")).click()
    page.get_by_label("Categories").fill("rude\nwrong\nstale")
    page.get_by_role("button", name="Store the version").click()
    versions = page.locator(".schema-version", has_text="rude, wrong")
    expect(versions.locator("summary")).to_contain_text(["no queue uses it", "used by Tone of answers"])


def test_of_two_leads_the_second_is_told_what_the_first_changed(cast: Cast, open_queues: Callable[..., Page]) -> None:
    queue = queue_of(cast)
    first, second = open_queues(cast.lead), open_queues(cast.owner)
    for page in (first, second):
        page.get_by_role("link", name="Edit All outputs").click()
    first.get_by_label("Blind share").fill("0.5")
    first.get_by_label("Overlap share").fill("0.25")
    first.get_by_role("button", name="Save").click()
    expect(first.get_by_text("Saved.")).to_be_visible()
    second.get_by_label("Golden share").fill("0.05")
    second.get_by_label("QA share").fill("0.1")
    second.get_by_label("Due after seconds").fill("7200")
    second.get_by_label("Paused").check()
    second.get_by_role("button", name="Save").click()
    alert = second.get_by_role("alert")
    expect(alert).to_contain_text("Nothing of yours was saved.")
    expect(alert.get_by_role("listitem")).to_contain_text(["Blind share: 0.5", "Overlap share: 0.25"])
    second.get_by_label("Blind share").fill("0.5")
    second.get_by_label("Overlap share").fill("0.25")
    second.get_by_role("button", name="Save").click()
    row = second.get_by_role("row", name="All outputs")
    expect(row).to_contain_text("paused")
    expect(row.get_by_role("button", name="Start reviewing")).to_be_disabled()
    queue.refresh_from_db()
    rates = (queue.blind_rate, queue.overlap_rate, queue.golden_rate, queue.qa_rate)
    assert (rates, queue.sla_seconds) == ((0.5, 0.25, 0.05, 0.1), 7200)
    second.goto(second.url.replace("/review/", "/settings/"))
    second.get_by_label("Random review rate").fill("0.02")
    second.get_by_role("button", name="Save").click()
    expect(second.get_by_label("Random review rate")).to_have_value("0.02")
    cast.project.refresh_from_db()
    assert cast.project.random_review_rate == 0.02


def test_a_lead_keeps_a_search_and_changes_what_it_finds(cast: Cast, open_queues: Callable[..., Page]) -> None:
    other = new_item(cast, verdict="block", review="flagged")
    reviewer = member(cast, cast.reviewer)
    answer(claim_one(cast, reviewer), reviewer, "block")
    found = [new_item(cast) for _ in range(2)]
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
    page.get_by_text("More filters").click()
    for label, value, count in (
        ("Category found", "spam", 0),
        ("Category found", "harassment", 3),
        ("Application", "assistant", 3),
        ("Answered by", "reviewer", 1),
        ("Time of", "coming in", 1),
        ("From (UTC)", "2100-01-01T00:00", 0),
    ):
        field = page.get_by_label(label)
        if field.evaluate("field => field.tagName") == "SELECT":
            field.select_option(label=value)
        else:
            field.fill(value)
        page.get_by_role("button", name="Show", exact=True).click()
        expect(page.locator("tbody tr")).to_have_count(count)
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
    page.get_by_label("Assign to").select_option("reviewer")
    page.get_by_role("button", name="Assign", exact=True).click()
    expect(page.get_by_text("assigned to reviewer until")).to_be_visible()
    page.get_by_role("button", name="Take back").click()
    expect(page.get_by_text("waits for anybody")).to_be_visible()
    page.get_by_label("Assign to").select_option("reviewer")
    page.get_by_role("button", name="Assign", exact=True).click()
    page.get_by_label("Assign to").select_option("second")
    page.get_by_role("button", name="Reassign").click()
    expect(page.get_by_text("assigned to second until")).to_be_visible()
    assert waiting.assignments.get().assignee == second.user
    page.goto(f"{base}items/{decided.public_id}/")
    page.get_by_text("Open it again").click()
    page.get_by_label("Why?").fill("The name is real.")
    page.get_by_role("button", name="Open again").click()
    expect(page.get_by_text("The name is real.")).to_be_visible()
    decided.refresh_from_db()
    assert (decided.state, decided.cycle) == ("reopened", 2)
