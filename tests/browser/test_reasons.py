"""The policy in reach, in Chromium: searched and chosen with the keys, the statement composed beside."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from policies.services import add_policy_version
from review.models import Decision
from tests.browser.console import start
from tests.factories import Cast
from tests.review.test_reasons import FALSE_ALARM, TEXT, WITH_TEXT
from tests.review.working import new_item, queue_of

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def test_rules_are_found_and_chosen_with_keys_and_the_statement_follows(
    cast: Cast, open_queues: Callable[..., Page]
) -> None:
    cast.policy_version = add_policy_version(project=cast.project, document=WITH_TEXT)
    queue_of(cast, reason_for=["block"])
    new_item(cast, findings=[])
    quoted = new_item(cast)
    quoted.assignments.update(priority=-1)
    page = open_queues()
    start(page)
    statement = page.get_by_label("Statement of reasons")
    expect(page.locator("[data-rule]:visible")).to_have_count(0)
    page.keyboard.press("b")
    expect(statement).to_have_value("The output was not let out.")
    page.keyboard.press("b")
    expect(page.locator("[data-error]")).to_contain_text("wants a reason")
    page.keyboard.press("/")
    page.keyboard.type("INSULTED nobody")
    expect(page.locator("[data-rule]:visible")).to_have_count(1)
    page.keyboard.press("Enter")
    page.keyboard.press("Control+a")
    page.keyboard.type("nothing has this")
    expect(page.get_by_text("No rule of this policy has these words.")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator("[data-rule]:visible")).to_have_count(1)
    page.get_by_label(FALSE_ALARM).check()
    page.keyboard.press("1")
    composed = f"The output was not let out.\n{TEXT}\nFound in it: harassment.\n{FALSE_ALARM}"
    expect(statement).to_have_value(composed)
    statement.fill("Mine.")
    page.get_by_label(FALSE_ALARM).uncheck()
    expect(statement).to_have_value("Mine.")
    page.get_by_role("button", name="Compose it anew").click()
    page.get_by_label(FALSE_ALARM).check()
    page.keyboard.press("Control+Enter")
    page.wait_for_url(f"**/{quoted.public_id}/")
    why = page.locator(".finding", has_text="harassment").locator(".finding-why")
    expect(why).to_have_text(f"{TEXT} You <b>idiot</b>.")
    page.keyboard.press("a")
    statement.fill("A film is quoted.")
    page.keyboard.press("Control+Enter")
    page.wait_for_url("**/review/")
    stored = Decision.objects.order_by("created_at").values_list("statement", "statement_edited_by")
    assert list(stored) == [(composed, None), ("A film is quoted.", cast.reviewer.id)]
