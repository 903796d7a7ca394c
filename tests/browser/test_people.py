"""What somebody is given, as they wish and as leads say what they can; and who sees the figures of one person."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Locator, Page, expect

from review.models import Annotation, Assignment, ReviewItem
from review.services import sweep_leases
from tests.browser.console import current, start
from tests.factories import Cast
from tests.review.working import another, answer, claim_one, member, new_item, queue_of, run_out

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def test_wishes_and_skills_decide_what_somebody_is_given(cast: Cast, open_queues: Callable[..., Page]) -> None:
    new_item(cast)  # harassment
    french, german = new_item(cast, findings=[]), new_item(cast, findings=[])
    ReviewItem.objects.filter(pk=french.pk).update(language="fr")
    ReviewItem.objects.filter(pk=german.pk).update(language="de")
    lead = open_queues(cast.lead)
    lead.get_by_role("link", name="Edit All outputs").click()
    lead.get_by_label("Skills").fill("Legal")
    lead.get_by_role("button", name="Save").click()
    expect(lead.get_by_text("Saved.")).to_be_visible()

    page = open_queues()
    page.get_by_role("link", name="My reviews").click()
    page.get_by_role("link", name="What I get").click()
    page.get_by_label("harassment", exact=True).check()
    page.get_by_label("Languages that I read").fill("de\nklingon")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("Not a code of a language: klingon.")).to_be_visible()
    page.get_by_label("Languages that I read").fill("de")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("It holds for what you are given from now on.")).to_be_visible()
    page.get_by_role("link", name="Back").click()
    page.get_by_role("link", name="Back to the queues").click()
    page.get_by_role("button", name="Start reviewing").click()
    expect(page.get_by_text("This queue needs skills that you do not have: legal.")).to_be_visible()

    lead.get_by_role("link", name="My reviews").click()
    lead.get_by_role("link", name="reviewer", exact=True).click()
    lead.get_by_role("link", name="Skills").click()
    lead.get_by_label("Skills").fill("legal\nPoetry")
    lead.get_by_role("button", name="Save").click()
    expect(lead.get_by_label("Skills")).to_have_value("legal\npoetry")
    start(page)
    assert current(page) == german
    page.keyboard.press("a")
    page.keyboard.press("a")
    page.wait_for_url("**/review/")
    page.get_by_role("button", name="Start reviewing").click()
    expect(page.get_by_text("Nothing is waiting for you in this queue.")).to_be_visible()
    assert Annotation.objects.get().item == german


def test_figures_of_one_person_are_seen_by_them_and_leads_alone(cast: Cast, open_queues: Callable[..., Page]) -> None:
    queue_of(cast, required_reviews=2, undo_seconds=0)
    reviewer, zdenka = member(cast, cast.reviewer), another(cast, "zdenka")
    for outcome in ("release", "block"):
        new_item(cast)
        answer(claim_one(cast, reviewer), reviewer, "release", active_ms=3000)
        answer(claim_one(cast, zdenka), zdenka, outcome, active_ms=9000)
    new_item(cast)
    page = open_queues()
    start(page)
    run_out(Assignment.objects.get(state="leased"))
    sweep_leases()
    page.keyboard.press("s")
    page.keyboard.press("1")
    page.wait_for_url("**/review/")
    page.get_by_role("link", name="My reviews").click()
    expect(fact(page, "Answers today")).to_have_text("2")
    expect(fact(page, "Skips today")).to_have_text("1")
    expect(fact(page, "Same as decided")).to_contain_text("1 of 1")
    expect(page.locator("main")).not_to_contain_text("zdenka")
    refused = page.goto(page.url.replace("/mine/", f"/reviewers/{zdenka.user_id}/"))
    assert refused is not None
    assert refused.status == 403

    board = open_queues(cast.lead)
    board.get_by_role("link", name="My reviews").click()
    board.get_by_role("link", name="zdenka").click()
    expect(fact(board, "Answers today")).to_have_text("2")
    board.get_by_role("link", name="Back to the queues").click()
    board.get_by_role("link", name="Dashboard").click()
    expect(fact(board, "Waiting")).to_have_text("2")
    expect(fact(board, "Active time per decision")).to_contain_text("median of 1")
    expect(fact(board, "Empty")).to_contain_text("an hour")
    expect(fact(board, "Leases run out")).to_have_text("1")
    expect(board.get_by_role("group", name="Skips by reason").get_by_role("row", name="unclear 1")).to_be_visible()
    by_age = board.get_by_role("group", name="Waiting by severity and age")
    expect(by_age.get_by_role("row", name="medium 2 0 0 0 0 2")).to_be_visible()
    expect(
        board.get_by_role("group", name="Throughput per hour").get_by_role("row", name="New").get_by_role("cell").last
    ).to_have_text("3")
    overturned = board.get_by_role("group", name="Overturned by rule").get_by_role("row", name="moderation")
    expect(overturned.get_by_role("cell")).to_contain_text(["1", "1", "100 %", "–"])
    agreed = board.get_by_role("group", name="Agreement by queue").get_by_role("row", name="All outputs")
    expect(agreed.get_by_role("cell")).to_contain_text(["1", "1", "100 %", "–"])
    expect(board.locator("main")).not_to_contain_text("zdenka")


def fact(page: Page, name: str) -> Locator:
    """Return the figure under a name, the first of that name on the page."""
    return page.locator("dl.facts > div", has_text=name).first.locator("dd")
