"""Two candidate outputs in Chromium, compared with the keys."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from review.candidates import output_is_left
from review.models import Assignment, PreferencePair
from tests.browser.console import start
from tests.factories import Cast
from tests.review.test_candidates import OTHER, OWN, item_of_two

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def test_the_better_output_is_said_with_keys(cast: Cast, open_queues: Callable[..., Page]) -> None:
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
    page.keyboard.press("a")
    page.keyboard.press("a")
    page.wait_for_url("**/review/")
    pair = PreferencePair.objects.get()
    assert (pair.chosen, pair.rejected, pair.strength, pair.chosen_left) == (left, right, 0.5, True)
