"""Answers of elsewhere in Chromium: one is taken over, and what was changed is shown against the output."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from review.models import Correction
from tests.browser.console import start
from tests.factories import Cast
from tests.review.test_suggestions import CORRECTED, bring, written
from tests.review.working import new_item

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def test_a_suggested_text_is_taken_over_changed_and_submitted(cast: Cast, open_queues: Callable[..., Page]) -> None:
    item = new_item(cast, output="Ask Ann.\r\nShe is an idiot.", findings=[])
    bring(cast, item, [written("correction", CORRECTED), written("note", "Too rude.")])
    page = open_queues()
    start(page)
    note, editor = page.get_by_label("Note", exact=False).first, page.get_by_label("Edited output")
    expect(note).to_have_value("")
    expect(page.locator("[data-diff-summary]")).to_have_text("none yet")
    page.get_by_role("link", name="Take over").click()
    expect(note).to_have_value("Too rude.")
    expect(page.get_by_role("radio", name="Replace")).to_be_checked()
    expect(editor).to_have_value(CORRECTED)
    expect(page.locator("[data-diff] ins").first).to_be_visible()

    # The same without the script's help: the output stays what changes are counted from.
    page.evaluate("sessionStorage.clear(); localStorage.clear()")
    page.goto(f"{page.url}?take={page.locator('[data-take]').get_attribute('href').split('=')[1]}")  # type: ignore[union-attr]
    expect(editor).to_have_value(CORRECTED)
    page.get_by_role("tab", name="Edit").click()
    expect(page.locator("[data-diff] ins").first).to_be_visible()
    editor.fill(f"{CORRECTED} Thank you.")
    page.keyboard.press("Control+Enter")
    page.wait_for_url("**/review/")

    assert Correction.objects.get().text == f"{CORRECTED} Thank you.".replace("\n", "\r\n")
