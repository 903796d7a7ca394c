"""The dashboard in Chromium: it stays up to date, and only while it is looked at."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.factories import Cast
from tests.review.working import new_item

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
LOOK = "document.dispatchEvent(new Event('visibilitychange'))"


def open_dashboard(cast: Cast, open_queues: Callable[..., Page], **more: bool) -> Page:
    page = open_queues(cast.lead, **more)
    page.get_by_role("link", name="Dashboard").click()
    page.get_by_role("heading", name="Dashboard").wait_for()
    page.wait_for_load_state()
    return page


def waiting(page: Page, number: int) -> None:
    expect(page.locator(".facts dd").first).to_have_text(str(number))


def test_figures_change_without_a_reload(cast: Cast, open_queues: Callable[..., Page]) -> None:
    page = open_dashboard(cast, open_queues)
    waiting(page, 0)
    new_item(cast)
    page.evaluate(LOOK)
    waiting(page, 1)


def test_nothing_is_asked_for_while_hidden_or_paused(cast: Cast, open_queues: Callable[..., Page]) -> None:
    page = open_dashboard(cast, open_queues)
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url) if "/dashboard/" in request.url else None)
    new_item(cast)
    page.evaluate("Object.defineProperty(document, 'hidden', {value: true, configurable: true})")
    page.evaluate(LOOK)
    page.evaluate("delete document.hidden")
    page.get_by_role("button", name="Pause updates").press("Enter")
    page.evaluate(LOOK)
    waiting(page, 0)
    page.get_by_role("button", name="Go on updating").press("Enter")
    waiting(page, 1)
    assert len(asked) == 1


def test_it_says_when_the_server_does_not_answer(cast: Cast, open_queues: Callable[..., Page]) -> None:
    page = open_dashboard(cast, open_queues, intercepts=True)
    page.route("**/dashboard/", lambda route: route.abort())
    page.evaluate(LOOK)
    expect(page.get_by_text("Not updated")).to_be_visible()
    page.unroute("**/dashboard/")
    page.evaluate(LOOK)
    expect(page.get_by_text("Not updated")).to_be_hidden()


def test_somebody_signed_out_is_sent_to_sign_in(cast: Cast, open_queues: Callable[..., Page]) -> None:
    page = open_dashboard(cast, open_queues)
    page.context.clear_cookies()
    page.evaluate(LOOK)
    page.wait_for_url("**/login/**")


def test_without_scripts_it_is_a_page(cast: Cast, open_queues: Callable[..., Page]) -> None:
    new_item(cast)
    page = open_dashboard(cast, open_queues, scripts=False)
    waiting(page, 1)
    expect(page.get_by_role("button", name="Pause updates")).to_be_hidden()
