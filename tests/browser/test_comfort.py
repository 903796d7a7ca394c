"""Covered texts, how they look, the blank screen, breaks and the day's cap."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable

import pytest
from django.utils import timezone
from playwright.sync_api import Page, expect

from review.models import Assignment, Break, ExposureEntry, ReviewItem
from tests.browser.console import OUTPUT, start, wait_saved
from tests.factories import Cast
from tests.review.test_exposure import expose
from tests.review.working import member, new_item

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def test_a_severe_text_is_shown_while_the_key_is_held_and_stays_by_the_button(
    cast: Cast, open_queues: Callable[..., Page]
) -> None:
    items = [new_item(cast) for _ in range(2)]
    ReviewItem.objects.update(severity=4)
    page = open_queues()
    start(page)
    text, cover = page.locator(".output").first, page.locator(".cover")
    expect(cover).to_contain_text("EMAIL_ADDRESS")
    expect(page.get_by_role("group", name="Output of the model")).to_have_count(0)
    assert OUTPUT not in page.locator("body").aria_snapshot()
    with page.expect_response("**/heartbeat/"):
        page.keyboard.down("m")
    assert ExposureEntry.objects.get().item == items[0], "it counts before it is answered"
    expect(text).to_be_visible()
    expect(cover).to_be_hidden()
    page.keyboard.up("m")
    expect(text).to_be_hidden()
    button = page.get_by_role("button", name="Show the texts M")
    button.press("Enter")
    expect(button).to_have_attribute("aria-pressed", "true")
    expect(text).to_be_visible()
    page.keyboard.press("m")
    expect(text).to_be_visible()
    button.press("Enter")
    expect(text).to_be_hidden()
    page.keyboard.press("r")
    expect(page.locator("[data-redacted]")).to_be_hidden()
    page.keyboard.press("e")
    expect(page.locator(".editor")).to_be_focused()
    page.keyboard.press("Escape")
    page.keyboard.press("b")
    page.keyboard.press("b")
    wait_saved(page)
    page.wait_for_url(f"**/{items[1].public_id}/")
    expect(text).to_be_hidden()


def test_a_blank_screen_takes_no_commands_and_counts_no_time(cast: Cast, open_queues: Callable[..., Page]) -> None:
    item = new_item(cast)
    page = open_queues()
    start(page)
    page.keyboard.press("p")
    expect(page.get_by_role("heading", name="Paused")).to_be_visible()
    assert page.evaluate("document.elementFromPoint(400, 600).closest('#blank') !== null")
    page.keyboard.press("b")
    page.keyboard.press("b")
    page.keyboard.press("p")
    expect(page.get_by_role("group", name="Output of the model")).to_be_visible()
    page.keyboard.press("a")
    page.keyboard.press("a")
    page.wait_for_url("**/review/")
    stored = item.annotations.get()
    assert (stored.outcome, stored.keystrokes) == ("release", 4), "what was pressed meanwhile is not counted"


def test_a_break_lets_the_item_on_screen_be_finished_and_then_says_until_when(
    cast: Cast, open_queues: Callable[..., Page]
) -> None:
    items = [new_item(cast) for _ in range(4)]
    page = open_queues()
    start(page)
    now = timezone.now()
    Break.objects.create(reviewer=cast.reviewer, started_at=now, ends_at=now + dt.timedelta(minutes=5))
    for _ in range(2):
        page.keyboard.press("a")
        page.keyboard.press("a")
    page.wait_for_url("**/review/rest/")
    expect(page.get_by_role("heading", name="Time for a break")).to_be_visible()
    expect(page.locator("[data-left]")).to_contain_text("4:")
    assert [item.annotations.count() for item in items] == [1, 1, 0, 0]
    assert not Assignment.objects.filter(state="leased").exists()
    Break.objects.update(ends_at=timezone.now())
    page.reload()
    expect(page.get_by_role("heading", name="You can go on")).to_be_visible()


def test_a_reviewer_chooses_how_texts_look_and_ends_the_day_at_the_cap(
    cast: Cast, open_queues: Callable[..., Page]
) -> None:
    items = [new_item(cast) for _ in range(3)]
    lead = open_queues(cast.lead)
    lead.get_by_role("link", name="Wellness").click()
    lead.get_by_label("Most exposure a day").fill("30")
    lead.get_by_role("button", name="Save").click()
    expect(lead.get_by_text("Saved.")).to_be_visible()
    page = open_queues()
    page.get_by_role("link", name="My reviews").click()
    page.get_by_role("link", name="How texts are shown").click()
    page.get_by_label("Show severe texts covered").select_option("never")
    page.get_by_label("The key need not be held").check()
    page.get_by_label("Texts look").select_option("grey and blurred")
    page.get_by_role("button", name="Save").click()
    page.get_by_role("link", name="Back to my reviews").click()
    page.get_by_role("link", name="Back to the queues").click()
    start(page)
    text = page.locator("[data-output]")
    expect(page.locator(".panels")).to_have_css("filter", "grayscale(1)")
    expect(text).to_have_css("filter", re.compile("blur"))
    page.keyboard.press("m")
    expect(text).to_have_css("filter", "none")
    page.keyboard.press("m")
    expect(text).to_have_css("filter", re.compile("blur"))
    text.hover()
    expect(text).to_have_css("filter", "none")
    expect(page.get_by_role("meter", name="Exposure today")).to_be_visible()
    expose(member(cast, cast.reviewer), minutes=31)
    for _ in range(2):
        page.keyboard.press("a")
        page.keyboard.press("a")
    page.wait_for_url("**/review/rest/")
    expect(page.get_by_role("heading", name="Enough for today")).to_be_visible()
    assert [item.annotations.count() for item in items] == [1, 1, 0]
    page.get_by_role("link", name="My reviews").click()
    expect(page.get_by_role("group", name="Exposure by day").get_by_role("cell").last).to_have_text("31")
