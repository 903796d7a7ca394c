"""A lead says which checks go to which queue, tries it out, and saves it; the page needs no scripts."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.factories import Cast
from tests.review.test_routing import queue
from tests.review.working import new_item

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.mark.parametrize("scripts", [True, False])
def test_a_lead_tries_rules_out_and_saves_them(cast: Cast, open_queues: Callable[..., Page], scripts: bool) -> None:
    queue(cast, "threats")
    for _ in range(2):
        new_item(cast)
    new_item(cast, review="sampled", verdict="allow", findings=[])
    page = open_queues(cast.lead, scripts=scripts)
    page.get_by_role("link", name="Routing").click()
    page.get_by_role("button", name="Add a rule").click()
    rule = page.get_by_role("group", name="Rule 1")
    rule.get_by_label("To the queue").select_option("threats")
    rule.get_by_label("Severity").select_option("2")
    rule.get_by_role("checkbox", name="held").check()
    page.get_by_role("button", name="Try out").click()
    expect(page.get_by_text("Of the last 3 raised checks, 2 would go to another queue.")).to_be_visible()
    expect(page.get_by_role("row", name="Threats 0 2 +2")).to_be_visible()
    page.get_by_role("button", name="Save the rules").click()
    expect(page.get_by_text("raised as held, severity medium or graver → Threats")).to_be_visible()
    assert new_item(cast).queue.slug == "threats"
