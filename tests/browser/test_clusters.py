"""A reviewer decides near-duplicates once, from the console, and takes all of it back."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from review.models import Assignment, ExposureEntry, ReviewItem
from review.services.grouping import group_items
from tests.browser.console import start
from tests.factories import Cast
from tests.review.test_cluster_decisions import letter
from tests.review.test_precedents import comes_in, precedent

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def test_a_reviewer_decides_near_duplicates_once(cast: Cast, open_queues: Callable[..., Page]) -> None:
    for name in ("Ann", "Bartholomew", "Cy"):
        letter(cast, name, found=(name,))
    letter(cast, "Di", harm=True)
    group_items()
    ReviewItem.objects.update(severity=4)
    page = open_queues()
    start(page)
    expect(page.get_by_role("link", name="3 near-duplicates wait")).to_be_visible(timeout=15_000)
    page.keyboard.press("g")
    expect(page.get_by_text("1 would be left out: something else was found in it")).to_be_visible()
    text = page.get_by_role("group", name="Output of the model")
    expect(text).to_have_count(0)
    page.wait_for_load_state()  # until then nothing listens to keys
    with page.expect_response(re.compile("/heartbeat/")) as beaten:
        page.keyboard.down("m")
    assert beaten.value.json()["status"] == "extended"
    expect(text).to_be_visible()
    page.keyboard.up("m")
    page.get_by_role("button", name="Show the texts").click()
    expect(text).to_be_visible()
    page.get_by_label("Redact").check(force=True)
    page.get_by_label("Search the policy").fill("pii")
    page.keyboard.press("Enter")
    expect(page.get_by_label("Statement of reasons")).to_have_value(re.compile("Parts of the output were taken out"))
    page.get_by_label("Note a rule").fill("A scam")
    page.get_by_role("button", name="Decide this and 2 like it").click()
    expect(page.get_by_text("and 2 like it")).to_be_visible()
    assert Assignment.objects.filter(state="reserved").count() == 2
    assert 0 < ExposureEntry.objects.get().seen_seconds < ExposureEntry.objects.get().active_seconds
    page.get_by_role("button", name="Take all of it back").click()
    expect(page.get_by_role("button", name="Submit and next")).to_be_visible()
    assert not Assignment.objects.filter(state="reserved").exists()


def test_what_followed_a_precedent_says_so_and_is_taken_back(cast: Cast, open_queues: Callable[..., Page]) -> None:
    first = precedent(cast).decision.item
    later = comes_in(cast)
    page = open_queues()
    page.get_by_role("link", name="All items").click()
    page.get_by_text("More filters").click()
    page.get_by_label("Decided how").select_option("as its near-duplicates before")
    page.get_by_role("button", name="Show", exact=True).click()
    page.get_by_role("link", name=later.public_id[-8:]).click()
    followed = page.get_by_text("Nobody read this output.")
    expect(followed.get_by_role("link", name=first.public_id[-8:])).to_be_visible()
    page.get_by_role("button", name="Take back").last.click()
    expect(page.get_by_role("button", name="Submit and next")).to_be_visible()
    assert not later.decisions.standing().exists()
