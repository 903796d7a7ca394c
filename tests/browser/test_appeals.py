"""An appeal from the application to the figures of leads, and how far reviewers agree, in Chromium."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest
from django.test import Client
from playwright.sync_api import Page, expect

from review.models import Appeal
from tests.browser.console import start
from tests.factories import Cast
from tests.review.working import another, answer, claim_one, member, new_item, queue_of

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def test_what_is_contested_is_decided_with_the_keys_by_somebody_else_and_counted(
    cast: Cast, open_queues: Callable[..., Page]
) -> None:
    queue_of(cast, undo_seconds=0)
    reviewer, second = member(cast, cast.reviewer), another(cast, "second")
    item = new_item(cast)
    answer(claim_one(cast, reviewer), reviewer, "block", note="An insult.")
    asks = Client(headers={"authorization": f"Bearer {cast.api_key}"})
    address = f"/v1/checks/{item.checked.public_id}/appeals"
    made = asks.post(address, {"reason": "A <b>quotation</b>.", "end_user": "u-1"}, content_type="application/json")
    assert made.status_code == 201
    first = open_queues()
    first.get_by_role("button", name="Start reviewing").click()
    expect(first.get_by_text("Nothing is waiting for you in this queue.")).to_be_visible()
    page = open_queues(second.user)
    start(page)
    expect(page.get_by_text("You decide this appeal")).to_be_visible()
    expect(page.get_by_text("A <b>quotation</b>.")).to_be_visible()
    page.keyboard.press("u")  # nobody is unsure here
    page.keyboard.press("a")
    page.keyboard.press("a")
    page.wait_for_url("**/review/")
    assert Appeal.objects.get().outcome == "reversed"
    assert asks.get(f"/v1/appeals/{made.json()['id']}").json()["state"] == "reversed"
    board = open_queues(cast.lead)
    board.get_by_role("link", name="Dashboard").click()
    row = board.get_by_role("row", name="all appeals")
    expect(row.get_by_role("cell")).to_have_text(["1", "0", "0", "1", "100 %", "21 % – 100 %"])


def test_leads_read_agreement_as_plot_and_table_also_on_a_narrow_screen(
    cast: Cast, open_queues: Callable[..., Page]
) -> None:
    queue_of(cast, required_reviews=2, undo_seconds=0)
    reviewer, second = member(cast, cast.reviewer), another(cast, "second")
    for outcome in ("redact", "block"):
        new_item(cast)
        for who in (reviewer, second):
            answer(claim_one(cast, who), who, outcome, labels={"violence": outcome == "block"})
    page = open_queues(cast.lead)
    refused: list[str] = []
    page.on("console", lambda message: refused.append(message.text) if message.type == "error" else None)
    page.get_by_role("link", name="Agreement").click()
    expect(page.get_by_role("img", name="Krippendorff's alpha")).to_be_visible()
    expect(page.get_by_role("row", name="what happens to the output")).to_contain_text("1.00 (1.00 to 1.00)")
    expect(page.locator(".dots-value").first, "it has the page's colour").not_to_have_css("fill", "rgb(0, 0, 0)")
    expect(page.get_by_role("row", name="violence")).to_contain_text("1.00 (1.00 to 1.00)")
    places = page.get_by_role("group", name="Places in All outputs").get_by_role("row", name="EMAIL_ADDRESS")
    expect(places).to_contain_text("1.00")
    page.get_by_text("Pairs of reviewers").press("Enter")
    expect(page.get_by_role("row", name="reviewer, second")).to_be_visible()
    page.set_viewport_size({"width": 360, "height": 700})
    assert page.evaluate("document.documentElement.scrollWidth") == 360
    with page.expect_download() as download:
        page.get_by_role("link", name="Download CSV").press("Enter")
    assert download.value.suggested_filename.endswith(".csv")
    with page.expect_download() as download:
        page.get_by_role("link", name="Download JSON").press("Enter")
    [told] = json.loads(download.value.path().read_text())["queues"]
    alphas = {measure["name"]: measure["alpha"]["value"] for measure in told["measures"]}
    assert alphas["outcome"] == alphas["violence"] == 1.0
    page.get_by_label("From").fill("2026-01-02")
    page.get_by_label("Until").fill("2026-01-03")
    page.get_by_role("button", name="Show").click()
    expect(page.get_by_role("heading", name="No item was answered by two reviewers")).to_be_visible()
    assert refused == []
