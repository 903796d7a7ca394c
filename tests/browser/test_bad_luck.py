"""What goes wrong while somebody reviews: back, two tabs, lost leases, wrong clocks, a megabyte, no longer a member."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from django.conf import settings
from playwright.sync_api import Page, expect

from tests.browser.console import current, start, wait_saved
from tests.factories import Cast
from tests.review.working import another, answer, claim_one, member, new_item, run_out
from webapp.accounts.services import SYSTEM, remove_member
from webapp.interception.problems import Problem

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def block(page: Page) -> None:
    page.keyboard.press("b")
    page.keyboard.press("b")


def test_going_back_never_shows_what_is_decided_as_open(cast: Cast, open_queues: Callable[..., Page]) -> None:
    first, second = new_item(cast), new_item(cast)
    page = open_queues()
    start(page)
    block(page)
    wait_saved(page)
    assert current(page) == second
    page.go_back()
    expect(page.get_by_role("heading", name="Review", exact=True)).to_be_visible()
    page.go_forward()
    expect(page.locator("#console")).to_be_visible()
    assert current(page) == second
    page.goto(page.url.replace(second.public_id, first.public_id))
    expect(page.get_by_role("button", name="Submit and next")).to_have_count(0)
    expect(page.get_by_role("heading", name="Decided")).to_be_visible()


def test_an_item_in_two_tabs_is_answered_once(cast: Cast, open_queues: Callable[..., Page]) -> None:
    first, second = new_item(cast), new_item(cast)
    page = open_queues()
    start(page)
    tab = page.context.new_page()
    tab.goto(page.url)
    expect(tab.locator("#console")).to_be_visible()
    block(page)
    wait_saved(page)
    tab.keyboard.press("a")
    tab.keyboard.press("a")
    expect(tab.locator("#trouble")).to_contain_text("Your answer is kept, but it does not count.")
    assert [one.outcome for one in first.annotations.filter(counts=True)] == ["block"]
    assert not second.annotations.exists()


def test_a_lease_that_ran_out_costs_nothing_unless_somebody_else_took_the_item(
    cast: Cast, open_queues: Callable[..., Page]
) -> None:
    first, second, third = (new_item(cast) for _ in range(3))
    page = open_queues()
    start(page)
    run_out(first.assignments.get())
    block(page)
    wait_saved(page)
    assert first.annotations.get().counts
    expect(page.locator("#console")).to_have_attribute("data-ahead", "ready")
    run_out(second.assignments.get())
    other = another(cast, "other")
    slot = claim_one(cast, other)
    assert slot.item == second
    block(page)
    expect(page.locator("#trouble")).to_contain_text("Your answer is kept, but it does not count.")
    assert current(page) == third
    answer(slot, other, "release")
    said = second.annotations.order_by("created_at").values_list("outcome", "counts")
    assert list(said) == [("block", False), ("release", True)]


@pytest.mark.parametrize(("hours", "later"), [(-30, -35), (30, 35)])
def test_a_clock_that_is_wrong_and_put_changes_nothing(
    cast: Cast, open_queues: Callable[..., Page], hours: int, later: int
) -> None:
    item = new_item(cast)
    page = open_queues()
    page.add_init_script("const now = Date.now; Date.now = () => now() + localStorage.getItem('off') * 3600_000;")
    page.evaluate("hours => localStorage.setItem('off', hours)", hours)
    start(page)
    expect(page.locator("[data-lease] [data-clock]")).to_have_text(re.compile(r"^([45]:\d\d)$"))
    page.get_by_label("Note").fill("kept")
    expect(page.locator("[data-saved]")).to_have_text("draft kept")
    page.evaluate("hours => localStorage.setItem('off', hours)", later)
    page.reload()
    expect(page.locator("[data-lease] [data-clock]")).to_have_text(re.compile(r"^([45]:\d\d)$"))
    expect(page.get_by_label("Note")).to_have_value("kept")
    block(page)
    page.wait_for_url("**/review/")
    assert item.annotations.get().rationale == "kept"


def test_a_megabyte_is_reviewed_with_the_keys(cast: Cast, open_queues: Callable[..., Page]) -> None:
    large = new_item(cast, output="Écrivez à ann@example.com. " * 36_000)
    new_item(cast)
    page = open_queues()
    start(page)
    assert current(page) == large
    page.get_by_role("tab", name="Redacted").click()
    expect(page.get_by_role("tabpanel", name="Redacted")).to_contain_text("Écrivez", timeout=30_000)
    block(page)
    wait_saved(page)
    assert large.annotations.get().outcome == "block"


def test_an_answer_waits_until_somebody_signed_in_again(cast: Cast, open_queues: Callable[..., Page]) -> None:
    first, second = new_item(cast), new_item(cast)
    page = open_queues()
    start(page)
    page.context.clear_cookies(name=settings.SESSION_COOKIE_NAME)
    block(page)
    expect(page.locator("#trouble")).to_contain_text("Sign in again in another tab")
    tab = page.context.new_page()
    tab.goto(page.url)
    tab.get_by_label("Username").fill("reviewer")
    tab.get_by_label("Password").fill("reviewer-pass-phrase")
    tab.get_by_role("button", name="Sign in").click()
    tab.wait_for_url("**/items/**")
    page.get_by_role("button", name="Try again").click()
    wait_saved(page)
    assert first.annotations.get().outcome == "block"
    page.get_by_role("button", name="Stop reviewing").click()
    page.wait_for_url("**/review/")
    assert not second.assignments.filter(state="leased").exists()


def test_who_is_no_longer_a_member_is_told_and_nothing_is_stored(cast: Cast, open_queues: Callable[..., Page]) -> None:
    item = new_item(cast)
    page = open_queues()
    start(page)
    page.get_by_label("Note").fill("my thoughts")
    page.keyboard.press("Escape")
    remove_member(membership=member(cast, cast.reviewer), actor=SYSTEM)
    block(page)
    expect(page.locator("#trouble")).to_contain_text("Ask an owner of the project.")
    assert not item.annotations.exists()


def test_an_answer_that_is_too_large_says_so_and_waits_for_no_retry(
    cast: Cast, open_queues: Callable[..., Page]
) -> None:
    too_large = Problem(413, "What you filled in is larger than 4 MiB.", "Go back, shorten the longest text.")
    answered = too_large.response()
    new_item(cast)
    page = open_queues(intercepts=True)
    start(page)
    page.route(
        "**/submit/",
        lambda route: route.fulfill(status=413, body=answered.content, content_type=answered["Content-Type"]),
    )
    block(page)
    expect(page.locator("#trouble")).to_contain_text("larger than 4 MiB. Go back, shorten the longest text.")
    expect(page.locator("[data-saving]")).to_have_text("not saved")
    expect(page.get_by_role("button", name="Back to the item")).to_be_visible()
    expect(page.get_by_role("button", name="Try again")).to_have_count(0)
