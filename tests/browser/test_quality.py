"""Blind items, answers side by side and decisions looked at again, as people see them."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, Route, expect

from review.models import Annotation
from tests.factories import Cast
from tests.review.qa import decided
from tests.review.working import another, answer, claim_one, member, new_item, queue_of

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def test_a_blind_item_shows_the_machine_once_it_is_taken_back(cast: Cast, open_queues: Callable[..., Page]) -> None:
    queue_of(cast, blind_rate=1.0, undo_seconds=60)
    new_item(cast)
    new_item(cast)
    page = open_queues(cast.reviewer)
    page.get_by_role("button", name="Start reviewing").click()
    page.wait_for_selector("#console[data-ahead]")
    expect(page.get_by_text("the machine is shown after your answer")).to_be_visible()
    expect(page.locator("mark")).to_have_count(0)
    page.keyboard.press("a")
    page.keyboard.press("a")
    page.keyboard.press("z")
    expect(page.get_by_text("You answered this blind")).to_be_visible()
    expect(page.locator("mark").first).to_be_visible()
    page.keyboard.press("b")
    page.keyboard.press("b")
    expect(page.locator("[data-undo-outcome]")).to_have_text("block")
    assert list(Annotation.objects.order_by("created_at").values_list("assistance", "outcome")) == [
        ("blind", "release"),
        ("after_commit", "block"),
    ]


def test_an_adjudicator_reads_answers_side_by_side(cast: Cast, open_queues: Callable[..., Page]) -> None:
    queue_of(cast, required_reviews=2, max_reviews=2)
    new_item(cast)
    for name, outcome in (("ursula", "block"), ("viktor", "release")):
        who = another(cast, name)
        answer(claim_one(cast, who), who, outcome, note=f"I say {outcome}.")
    page = open_queues(cast.lead)
    page.get_by_role("button", name="Start reviewing").click()
    page.wait_for_selector("#console[data-ahead]")
    page.get_by_role("tab", name="Answers").click()
    table = page.get_by_role("group", name="Answers side by side")
    expect(table.get_by_role("row", name="Verdict block release")).to_be_visible()
    expect(table.get_by_role("row", name="Reasons I say block. I say release.")).to_be_visible()


@pytest.mark.parametrize("scripts", [True, False])
def test_a_lead_looks_at_a_decision_again(cast: Cast, open_queues: Callable[..., Page], scripts: bool) -> None:
    item = decided(cast, member(cast, cast.reviewer))
    page = open_queues(cast.lead, scripts=scripts)
    page.get_by_role("link", name="Decisions to look at again").click()
    page.get_by_role("button", name="Look at the next one").click()
    page.get_by_role("group", name="What was right").get_by_label("block").check()
    page.get_by_role("group", name="Error").get_by_label("major").check()
    page.get_by_label("What was wrong").fill("An insult.")
    page.get_by_role("button", name="Store and go on").click()
    expect(page.get_by_text("the decision holds no more")).to_be_visible()
    assert item.decisions.get(cycle=2).outcome == "block"


@pytest.mark.parametrize("late", [False, True], ids=["", "before the script is there"])
def test_a_lead_writes_a_text_and_takes_it_back(cast: Cast, open_queues: Callable[..., Page], late: bool) -> None:
    queue_of(cast, undo_seconds=60)
    item = decided(cast, member(cast, cast.reviewer), "block")
    page = open_queues(cast.lead)
    held: list[Route] = []
    if late:
        page.route("**/js/qa.js", lambda route: held.append(route))
    page.get_by_role("link", name="Decisions to look at again").click()
    page.get_by_role("button", name="Look at the next one").click()
    page.get_by_text("Edit the output, to replace it").click()
    page.get_by_label("Edited output").fill("You can reach us at the desk.")
    for route in held:
        route.continue_()
    page.unroute("**/js/qa.js")
    expect(page.locator("[data-diff] ins").first).to_be_visible()
    expect(page.get_by_label("Replace")).to_be_checked()
    page.get_by_label("Minor").check()
    page.get_by_label("What was wrong").fill("It can be said kindly.")
    page.get_by_role("button", name="Store and go on").click()
    expect(page.get_by_text("the decision holds no more")).to_be_visible()
    page.keyboard.press("z")
    expect(page.get_by_text("Taken back: the decision before it holds.")).to_be_visible()
    page.get_by_text("Edit the output, to replace it").click()
    assert list(item.decisions.standing().values_list("outcome", flat=True)) == ["block"]
