"""Decisions are taken back in Chromium: with the key, without scripts, before they are saved."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.browser.console import current, hold_answers, next_answer, start, wait_saved
from tests.factories import Cast
from tests.review.working import new_item, queue_of
from webapp.interception.models import Release

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def test_a_decision_is_taken_back_with_one_key_and_decided_anew(cast: Cast, open_queues: Callable[..., Page]) -> None:
    first, second = new_item(cast), new_item(cast)
    page = open_queues()
    start(page)
    page.keyboard.press("w")
    page.keyboard.type("too quick")
    page.keyboard.press("Escape")
    page.keyboard.press("a")
    page.keyboard.press("a")
    wait_saved(page)
    assert current(page) == second
    page.get_by_label("Note").fill("half a thought")
    expect(page.get_by_role("button", name="Take back")).to_be_visible()
    page.keyboard.press("Escape")
    page.keyboard.press("z")
    page.wait_for_url(f"**/{first.public_id}/")
    expect(page.get_by_role("button", name="Take back")).to_be_hidden()
    expect(page.get_by_label("Note")).to_have_value("too quick")
    assert not Release.objects.exists()
    page.keyboard.press("b")
    page.keyboard.press("b")
    wait_saved(page)
    assert current(page) == second
    expect(page.get_by_label("Note")).to_have_value("half a thought")
    assert [answer.outcome for answer in first.annotations.filter(counts=True)] == ["block"]
    assert Release.objects.get().outcome == "blocked"


def test_a_decision_is_taken_back_before_it_is_even_saved(cast: Cast, open_queues: Callable[..., Page]) -> None:
    first, _ = new_item(cast), new_item(cast)
    page = open_queues(intercepts=True)
    start(page)
    held = hold_answers(page)
    page.keyboard.press("a")
    sent = next_answer(page, held, lambda: page.keyboard.press("a"))
    expect(page.locator("[data-saving]")).to_have_text("saving…")
    page.keyboard.press("z")
    sent.continue_()
    page.wait_for_url(f"**/{first.public_id}/")
    assert first.annotations.get().undone_at is not None


def test_the_last_item_of_a_queue_is_taken_back_from_the_queue_list(
    cast: Cast, open_queues: Callable[..., Page]
) -> None:
    item = new_item(cast)
    page = open_queues()
    start(page)
    page.keyboard.press("b")
    page.keyboard.press("b")
    page.wait_for_url("**/review/")
    page.keyboard.press("z")
    page.wait_for_url(f"**/{item.public_id}/")
    expect(page.get_by_role("radio", name="Block")).to_be_checked()
    assert not Release.objects.exists()


def test_the_offer_goes_when_its_time_is_over(cast: Cast, open_queues: Callable[..., Page]) -> None:
    queue_of(cast, undo_seconds=1)
    new_item(cast), new_item(cast)
    page = open_queues()
    start(page)
    page.keyboard.press("a")
    page.keyboard.press("a")
    expect(page.get_by_role("button", name="Take back")).to_be_visible()
    expect(page.get_by_role("button", name="Take back")).to_be_hidden()
    page.keyboard.press("z")
    expect(page.locator("#announcer")).to_have_text("There is nothing to take back.")


def test_a_decision_is_taken_back_without_scripts(cast: Cast, open_queues: Callable[..., Page]) -> None:
    first, second = new_item(cast), new_item(cast)
    page = open_queues(scripts=False)
    page.get_by_role("button", name="Start reviewing").click()
    page.get_by_label("Block").check()
    page.get_by_role("button", name="Submit and next").click()
    assert current(page) == second
    page.get_by_role("button", name="Take back").click()
    assert current(page) == first
    expect(page.get_by_label("Block")).to_be_checked()
