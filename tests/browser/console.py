"""The console in Chromium: steps that many tests take."""

from __future__ import annotations

import re
from collections.abc import Callable

from playwright.sync_api import Page, Route, expect

from review.models import ReviewItem

OUTPUT = "You can reach Ann at ann@example.com, idiot."


def start(page: Page) -> None:
    page.get_by_role("button", name="Start reviewing").press("Enter")
    expect(page.locator("#console")).to_have_attribute("data-ahead", re.compile("ready|none"))


def current(page: Page) -> ReviewItem:
    found = re.search(r"rvw_([0-9a-f]{32})", page.url)
    assert found is not None
    return ReviewItem.objects.get(id=found.group(1))


def wait_saved(page: Page) -> None:
    expect(page.locator("[data-saving]")).to_be_hidden()


def hold_answers(page: Page) -> list[Route]:
    """Keep back every answer that the page sends from now on; the list returned grows by each, see `next_answer`."""
    held: list[Route] = []
    page.route("**/submit/", lambda route: held.append(route))
    return held


def next_answer(page: Page, held: list[Route], act: Callable[[], object]) -> Route:
    """Return the answer that the page sends because of `act`; of those that `hold_answers` keeps back."""
    with page.expect_request("**/submit/"):
        act()
    page.evaluate("0")  # that it was kept back is told after the request, and before this
    return held[-1]
