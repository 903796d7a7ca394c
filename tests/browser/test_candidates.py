"""Two candidate outputs in Chromium, compared with the keys; marked and corrected in the same answer."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from review.candidates import output_is_left
from review.models import Annotation, Assignment
from tests.browser.console import start
from tests.factories import Cast
from tests.review.test_candidates import OTHER, OWN, item_of_two

CORRECTED = "Ask at the desk, please."
pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def test_one_answer_with_keys_gives_verdict_redaction_correction_and_preferences(
    cast: Cast, open_queues: Callable[..., Page]
) -> None:
    item_of_two(cast)
    page = open_queues()
    start(page)
    page.keyboard.press(".")
    expect(page.get_by_role("radio", name="Right, clearly")).to_be_checked()
    page.keyboard.press(",")
    page.keyboard.press(",")
    expect(page.get_by_role("radio", name="Left, slightly")).to_be_checked()
    left, right = (OWN, OTHER) if output_is_left(Assignment.objects.get()) else (OTHER, OWN)
    expect(page.get_by_role("region", name="Left output")).to_contain_text(left)
    expect(page.get_by_role("region", name="Right output")).to_contain_text(right)
    for key in ("F2", "n"):
        page.keyboard.press(key)
    page.keyboard.type("idiot")
    page.keyboard.press("Enter")
    page.keyboard.type("person")
    page.keyboard.press("Enter")
    with page.expect_response("**/redacted/"):
        page.keyboard.press("r")
    expect(page.locator("[data-redacted]")).to_have_text("Ask at the desk, [PERSON].")
    page.keyboard.press("e")
    page.keyboard.press("Control+a")
    page.keyboard.type(CORRECTED)
    expect(page.locator("[data-diff-summary]")).not_to_have_text("none yet")
    page.keyboard.press("Control+Enter")
    page.wait_for_url("**/review/")
    said = Annotation.objects.get()
    assert (said.outcome, said.correction.text) == ("replace", CORRECTED)
    assert list(said.spans.values_list("change", "label")) == [("added", "PERSON")]
    corrected = said.pairs.get(source="correction")
    assert (corrected.chosen, corrected.rejected) == (CORRECTED, OWN)
    pair = said.pairs.get(source="a_b")
    assert (pair.chosen, pair.rejected, pair.strength, pair.chosen_left) == (left, right, 0.5, True)
