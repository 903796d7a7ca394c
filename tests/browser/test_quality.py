"""Blind items, answers side by side, golden items and decisions looked at again, as people see them."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, Route, expect

from review.models import Annotation, ReviewItem
from tests.browser.console import current, start
from tests.factories import Cast
from tests.review import golden
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


def test_a_third_reviewer_settles_what_two_differ_on_or_an_adjudicator_does(
    cast: Cast, open_queues: Callable[..., Page]
) -> None:
    queue_of(cast, required_reviews=2, max_reviews=3, undo_seconds=0)
    items = [new_item(cast) for _ in range(2)]
    for name, outcome in (("ursula", "block"), ("viktor", "release")):
        who = another(cast, name)
        for _ in items:
            answer(claim_one(cast, who), who, outcome, note=f"I say {outcome}.")
    desk = open_queues()
    start(desk)
    expect(desk.get_by_text("I say")).to_have_count(0)
    for key in ("b", "b", "u", "u"):
        desk.keyboard.press(key)
    desk.wait_for_url("**/review/")
    settled, disputed = ReviewItem.objects.order_by("-state")
    assert (settled.state, disputed.state) == ("decided", "adjudication")
    assert settled.decisions.get().method == "consensus"
    page = open_queues(cast.lead)
    page.get_by_role("button", name="Start reviewing").click()
    page.wait_for_selector("#console[data-ahead]")
    page.get_by_role("tab", name="Answers").click()
    table = page.get_by_role("group", name="Answers side by side")
    expect(table.get_by_role("row", name="Verdict block release unsure")).to_be_visible()
    expect(table.get_by_role("row", name="Reasons I say block. I say release.")).to_be_visible()
    for name in ("ursula", "viktor"):
        expect(page.get_by_text(name)).to_have_count(0)
    page.keyboard.press("b")
    page.keyboard.press("b")
    page.wait_for_url("**/review/")
    decision = disputed.decisions.get()
    assert (decision.outcome, decision.method) == ("block", "adjudicated")


def test_who_fails_golden_items_is_paused_until_a_lead_lets_them_go_on(
    cast: Cast, open_queues: Callable[..., Page]
) -> None:
    source = golden.decided(cast)
    queue_of(cast, undo_seconds=0)
    lead = open_queues(cast.lead)
    queues = lead.url
    lead.goto(f"{queues}items/{source.public_id}/")
    lead.get_by_role("link", name="Make it golden").click()
    lead.get_by_label("harassment", exact=True).select_option("yes")
    lead.get_by_role("button", name="Make it golden").click()
    expect(lead.get_by_role("row", name="block")).to_be_visible()
    lead.get_by_role("link", name="Back to the queues").click()
    lead.get_by_role("link", name="Edit All outputs").click()
    for label, value in (("Golden share", "1"), ("Golden pass mark", "0.7"), ("Golden answers counted", "1")):
        lead.get_by_label(label).fill(value)
    lead.get_by_role("button", name="Save").click()
    new_item(cast)
    page = open_queues()
    start(page)
    for _ in range(2):
        page.keyboard.press("a")
        page.keyboard.press("a")
    page.wait_for_url("**/review/")
    page.reload()
    expect(page.get_by_text("You are paused in All outputs")).to_be_visible()
    waiting = new_item(cast)
    page.get_by_role("button", name="Start reviewing").click()
    expect(page.get_by_text("a lead has to let you go on")).to_be_visible()
    lead.reload()
    expect(lead.get_by_text("reviewer in All outputs: 0 % over the last 1 golden answers")).to_be_visible()
    lead.get_by_role("button", name="Let them go on").click()
    expect(lead.get_by_text("Paused reviewers")).to_have_count(0)
    start(page)
    assert current(page) == waiting


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
    page.wait_for_load_state()  # until then nothing listens to keys
    page.keyboard.press("z")
    expect(page.get_by_text("Taken back: the decision before it holds.")).to_be_visible()
    page.get_by_text("Edit the output, to replace it").click()
    assert list(item.decisions.standing().values_list("outcome", flat=True)) == ["block"]
