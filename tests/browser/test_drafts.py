"""Work that the network or the browser interrupts."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.browser.console import hold_answers, next_answer, start, wait_saved
from tests.factories import Cast
from tests.review.working import new_item

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
KEPT = "Object.keys(localStorage).filter((key) => key.startsWith('countersign:draft:'))"


def drafts(page: Page) -> list[str]:
    found: list[str] = page.evaluate(KEPT)
    return found


def test_a_draft_outlives_the_page_and_ends_with_the_answer_or_the_session(
    cast: Cast, open_queues: Callable[..., Page]
) -> None:
    first, second = new_item(cast), new_item(cast)
    page = open_queues()
    start(page)
    page.context.set_offline(True)
    page.keyboard.press("w")
    page.keyboard.type("written while the network was away")
    page.keyboard.press("Escape")
    page.keyboard.press("1")
    expect(page.locator("[data-saved]")).to_have_text("draft kept")
    assert drafts(page) == [f"countersign:draft:{cast.reviewer.id}:{first.public_id}:1"]
    page.context.set_offline(False)
    page.evaluate("localStorage.setItem('countersign:draft:somebody:else', '{}')")
    page.reload()
    expect(page.locator("[data-draft-notice]")).to_contain_text("is back")
    expect(page.get_by_label("Note W")).to_have_value("written while the network was away")
    assert len(drafts(page)) == 1, "what others left is forgotten"
    page.keyboard.press("b")
    page.keyboard.press("b")
    wait_saved(page)
    expect(page.locator("[data-saved]")).to_have_text("saved")
    expect(page.locator("[data-session]")).to_have_text("1")
    stored = first.annotations.get()
    assert (stored.outcome, stored.rationale) == ("block", "written while the network was away")
    assert stored.labels == {"harassment": True}
    assert drafts(page) == []
    page.wait_for_url(f"**/{second.public_id}/")
    page.get_by_label("Note W").fill("leaving")
    expect(page.locator("[data-saved]")).to_have_text("draft kept")
    page.get_by_role("button", name="Sign out").click()
    page.wait_for_url("**/accounts/login/**")
    assert drafts(page) == []


def test_a_draft_is_discarded_on_request(cast: Cast, open_queues: Callable[..., Page]) -> None:
    new_item(cast)
    page = open_queues()
    start(page)
    page.get_by_label("Note W").fill("no")
    expect(page.locator("[data-saved]")).to_be_visible()
    page.reload()
    page.get_by_role("button", name="Discard it").click()
    expect(page.get_by_label("Note W")).to_have_value("")
    expect(page.locator("[data-draft-notice]")).to_be_hidden()
    assert drafts(page) == []


def test_an_answer_whose_confirmation_was_lost_is_sent_again_by_itself_and_counts_once(
    cast: Cast, open_queues: Callable[..., Page]
) -> None:
    first, _ = new_item(cast), new_item(cast)
    page = open_queues(intercepts=True)
    start(page)
    held = hold_answers(page)
    page.keyboard.press("a")
    lost = next_answer(page, held, lambda: page.keyboard.press("a"))
    lost.fetch()
    lost.abort()
    expect(page.locator("#trouble")).to_contain_text("Not saved")
    assert len(drafts(page)) == 1
    next_answer(page, held, lambda: page.evaluate("window.dispatchEvent(new Event('online'))")).continue_()
    wait_saved(page)
    expect(page.locator("#trouble")).to_be_empty()
    assert first.annotations.count() == 1
    key = str(first.annotations.get().idempotency_key)
    assert [key in (route.request.post_data or "") for route in held] == [True, True]
    assert drafts(page) == []
    expect(page.locator("[data-today]")).to_have_text("1")
