"""Keys that a reviewer chose, and when keys rest."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from review.models import Annotation
from tests.browser.console import hold_answers, next_answer, start, wait_saved
from tests.factories import Cast
from tests.review.working import new_item

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

PRESS = """([key, more]) => document.querySelector(".stage").dispatchEvent(
    new KeyboardEvent("keydown", {key, bubbles: true, cancelable: true, ...more}))"""


def test_a_reviewer_changes_a_key_by_pressing_it_and_works_with_it(
    cast: Cast, open_queues: Callable[..., Page]
) -> None:
    first, second = new_item(cast), new_item(cast)
    page = open_queues()
    start(page)
    page.keyboard.press("?")
    page.get_by_role("link", name="Change the keys").click()
    page.wait_for_url("**/mine/keys/")  # and for its script, that makes of a key pressed what is written
    page.get_by_label("block; again submits").press("F8")
    page.get_by_label("skip").press("b")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("Saved. The keys hold")).to_be_visible()
    page.go_back()
    page.goto(page.url.split("/mine/")[0] + f"/items/{first.public_id}/")
    page.keyboard.press("b")
    expect(page.locator("dialog[open]")).to_contain_text("Skip: why?")
    page.keyboard.press("Escape")
    expect(page.locator(".verdict-block kbd")).to_have_text("F8")
    page.keyboard.press("F8")
    page.keyboard.press("F8")
    wait_saved(page)
    assert first.annotations.get().outcome == "block"
    page.wait_for_url(f"**/{second.public_id}/")


def test_keys_rest_during_composition_repetition_and_while_the_next_item_is_awaited(
    cast: Cast, open_queues: Callable[..., Page]
) -> None:
    new_item(cast)
    page = open_queues(intercepts=True)
    start(page)
    for more in ({"isComposing": True}, {"keyCode": 229}, {"repeat": True}, {"ctrlKey": True}, {"metaKey": True}):
        page.evaluate(PRESS, ["b", more])
    assert page.locator("input[name=outcome]:checked").count() == 0
    held = hold_answers(page)
    page.keyboard.press("a")
    answer = next_answer(page, held, lambda: page.keyboard.press("a"))
    expect(page.get_by_text("Fetching the next item…")).to_be_visible()
    page.keyboard.press("a")
    page.keyboard.press("Control+Enter")
    page.keyboard.press("?")
    assert page.locator("dialog[open]").count() == 0
    answer.continue_()
    page.wait_for_url("**/review/")
    assert Annotation.objects.count() == 1
