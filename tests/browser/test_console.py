"""The console in Chromium: reviewed with the keyboard, or without scripts."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from review.models import Annotation, Assignment, Exclusion, Mention
from review.services import raise_item
from tests.browser.console import OUTPUT, current, hold_answers, next_answer, start, wait_saved
from tests.browser.payloads import PAYLOADS, TRACES
from tests.factories import Cast
from tests.review.working import answer, claim_one, new_item, queue_of
from webapp.accounts.models import Membership

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def test_a_reviewer_is_told_of_a_pause_and_submits_what_they_have(cast: Cast, open_queues: Callable[..., Page]) -> None:
    for _ in range(4):
        new_item(cast)
    page = open_queues()
    start(page)
    expect(page.locator("[data-paused]")).to_be_hidden()
    queue_of(cast, paused=True)
    for left in (1, 0):
        page.keyboard.press("a")
        page.keyboard.press("a")
        if left:
            expect(page.locator("[data-paused]")).to_be_visible()
            expect(page.locator("#console")).to_have_attribute("data-ahead", "none")
    page.wait_for_url("**/review/")
    expect(page.get_by_role("row", name="All outputs paused")).to_be_visible()
    assert Annotation.objects.filter(counts=True).count() == 2


def test_items_are_decided_with_two_keys_each_without_waiting(cast: Cast, open_queues: Callable[..., Page]) -> None:
    items = [new_item(cast) for _ in range(4)]
    page = open_queues()
    start(page)
    keys = {"a": "release", "r": "redact", "b": "block", "u": ""}
    for item, key in zip(items, keys, strict=True):
        page.wait_for_url(f"**/{item.public_id}/")
        page.keyboard.press(key)
        page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Review", exact=True)).to_be_visible()
    assert [item.annotations.get().outcome for item in items] == list(keys.values())
    annotation = items[0].annotations.get()
    assert annotation.keystrokes == 2


def test_the_next_item_is_on_screen_before_the_answer_is_saved(cast: Cast, open_queues: Callable[..., Page]) -> None:
    first, second = new_item(cast), new_item(cast)
    page = open_queues(intercepts=True)
    start(page)
    held = hold_answers(page)
    page.keyboard.press("a")
    sent = next_answer(page, held, lambda: page.keyboard.press("a"))
    expect(page.locator("[data-saving]")).to_have_text("saving…")
    assert current(page) == second
    assert not first.annotations.exists()
    sent.continue_()
    wait_saved(page)
    assert first.annotations.get().outcome == "release"


def test_an_item_that_changed_comes_back_as_it_was_left(cast: Cast, open_queues: Callable[..., Page]) -> None:
    first, second = new_item(cast), new_item(cast)
    page = open_queues()
    start(page)
    page.keyboard.press("w")
    page.keyboard.type("my note")
    raise_item(check=first.checked, kind="late")
    page.keyboard.press("Escape")
    page.keyboard.press("b")
    page.keyboard.press("Enter")
    page.get_by_role("button", name="Back to the item").click()
    expect(page.locator("[data-error]")).to_contain_text("Look again")
    expect(page.locator(".triggers .badge", has_text="late")).to_be_visible()
    assert current(page) == first
    expect(page.get_by_label("Note W")).to_have_value("my note")
    page.keyboard.press("Enter")
    wait_saved(page)
    assert first.annotations.get().rationale == "my note"
    assert current(page) == second


def test_findings_are_kept_and_dropped_with_keys(cast: Cast, open_queues: Callable[..., Page]) -> None:
    item = new_item(cast, output=f"{OUTPUT} Bob: +49 30 1234567", findings=places(OUTPUT))
    page = open_queues()
    start(page)
    page.keyboard.press("F2")
    page.keyboard.press("Tab")
    expect(page.locator(".finding.is-current")).to_contain_text("EMAIL_ADDRESS")
    page.keyboard.press("Shift+Tab")
    page.keyboard.press("Space")
    expect(page.locator(".hl-pii.is-dropped")).to_have_text("Ann")
    page.keyboard.press("Escape")
    with page.expect_response("**/redacted/**"):
        page.keyboard.press("r")
    expect(page.locator("[data-redacted]")).to_have_text(
        "You can reach Ann at [EMAIL_ADDRESS], idiot. Bob: +49 30 1234567"
    )
    page.keyboard.press("1")
    with page.expect_navigation():
        page.keyboard.press("Enter")
    annotation = item.annotations.get()
    kept = {v.finding.category: v.kept for v in annotation.finding_verdicts.select_related("finding")}
    assert kept == {"EMAIL_ADDRESS": True, "PERSON": False}
    assert annotation.labels == {"harassment": True}


def places(output: str) -> list[dict[str, object]]:
    pii = {"rule": "pii", "detector": "pii", "score": 1.0, "action": "redact"}
    email, ann = output.index("ann@"), output.index("Ann")
    return [
        pii | {"category": "PERSON", "start": ann, "end": ann + 3, "score": 0.5, "detail": "name"},
        pii | {"category": "EMAIL_ADDRESS", "start": email, "end": email + 15},
    ]


def test_the_output_is_edited_with_a_live_diff(cast: Cast, open_queues: Callable[..., Page]) -> None:
    item = new_item(cast)
    page = open_queues()
    start(page)
    page.keyboard.press("e")
    page.keyboard.press("Control+a")
    page.keyboard.type("You can reach Ann at the desk.")
    expect(page.locator("[data-diff] ins")).to_contain_text(["the desk"])
    expect(page.locator("[data-diff] del").first).to_be_visible()
    with page.expect_navigation():
        page.keyboard.press("Control+Enter")
    annotation = item.annotations.get()
    assert (annotation.outcome, annotation.correction.text) == ("replace", "You can reach Ann at the desk.")


def test_keys_rest_while_typing_in_dialogs_and_with_modifiers(cast: Cast, open_queues: Callable[..., Page]) -> None:
    new_item(cast)
    page = open_queues()
    start(page)
    page.keyboard.press("w")
    page.keyboard.type("abrusxe19?")
    page.keyboard.press("Escape")
    page.keyboard.press("?")
    expect(page.locator("#keys")).to_be_visible()
    page.keyboard.press("b")
    page.keyboard.press("Escape")
    expect(page.locator("#keys")).to_be_hidden()
    page.keyboard.press("Alt+a")
    page.keyboard.press("Shift+F2")
    assert page.evaluate("document.querySelector('[data-answer]').elements.outcome.value") == ""
    assert page.locator("dialog[open]").count() == 0
    assert not Annotation.objects.exists()


def test_a_held_down_key_decides_nothing(cast: Cast, open_queues: Callable[..., Page]) -> None:
    new_item(cast)
    page = open_queues()
    start(page)
    for _ in range(5):
        page.keyboard.down("b")
    assert page.locator("input[value=block]").is_checked()
    assert not Annotation.objects.exists()


def test_an_item_is_skipped_with_a_reason_and_another_escalated(cast: Cast, open_queues: Callable[..., Page]) -> None:
    first, second = new_item(cast), new_item(cast)
    page = open_queues()
    start(page)
    page.keyboard.press("s")
    page.keyboard.press("2")
    wait_saved(page)
    assert current(page) == second
    page.keyboard.press("x")
    page.keyboard.type("see a lead")
    page.keyboard.press("Tab")
    page.keyboard.type("lead")
    with page.expect_navigation():
        page.keyboard.press("Tab")
        page.keyboard.press("Enter")
    assert Exclusion.objects.get(item=first).reason == "wrong language"
    second.refresh_from_db()
    assert (second.state, second.escalation_note) == ("escalated", "see a lead")
    assert Mention.objects.get().user == cast.lead


def test_an_item_is_held_resumed_with_z_and_held_again(cast: Cast, open_queues: Callable[..., Page]) -> None:
    first, second = new_item(cast), new_item(cast)
    page = open_queues()
    start(page)
    page.keyboard.press("h")
    page.keyboard.press("Enter")
    wait_saved(page)
    assert current(page) == second
    page.keyboard.press("z")
    page.wait_for_url(f"**/{first.public_id}/")
    page.keyboard.press("h")
    page.keyboard.type("ask a lead")
    page.keyboard.press("Enter")
    page.wait_for_url(f"**/{second.public_id}/")
    wait_saved(page)
    page.get_by_role("button", name="Stop reviewing").click()
    expect(page.get_by_role("row", name="ask a lead")).to_be_visible()
    page.get_by_role("button", name="Resume").click()
    assert current(page) == first
    assert Assignment.objects.get(item=first).state == "leased"


def test_hostile_markup_stays_text_everywhere(cast: Cast, open_queues: Callable[..., Page]) -> None:
    hostile = "\n".join(PAYLOADS) + " 😀"
    new_item(cast)
    item = new_item(cast, output=hostile, findings=[], messages=[{"role": "user", "content": hostile}])
    page = open_queues()
    start(page)
    page.keyboard.press("a")
    page.keyboard.press("Enter")
    wait_saved(page)
    assert current(page) == item
    expect(page.locator(".output").first).to_have_text(hostile)
    page.keyboard.press("e")
    page.keyboard.press("End")
    page.keyboard.type("<b>more</b>")
    expect(page.locator("[data-diff] ins").first).to_be_visible()
    assert page.locator("[data-diff] b, .output b, .turn b").count() == 0
    assert page.evaluate(TRACES) == []


def test_everything_works_without_scripts(cast: Cast, open_queues: Callable[..., Page]) -> None:
    first, second = new_item(cast), new_item(cast)
    page = open_queues(scripts=False)
    page.get_by_role("button", name="Start reviewing").click()
    page.get_by_label("Block").check()
    page.get_by_label("Note").fill("plain")
    page.get_by_role("button", name="Submit and next").click()
    assert current(page) == second
    annotation = first.annotations.get()
    assert (annotation.outcome, annotation.rationale) == ("block", "plain")
    page.get_by_role("button", name="Unclear").click()
    assert Exclusion.objects.get().item == second
    assert not Assignment.objects.filter(state="leased").exists()


def test_what_is_decided_can_be_looked_at_in_every_view(cast: Cast, open_queues: Callable[..., Page]) -> None:
    item = new_item(cast)
    reviewer = Membership.objects.get(project=cast.project, user=cast.reviewer)
    answer(claim_one(cast, reviewer), reviewer, "redact")
    page = open_queues()
    page.goto(page.url.rstrip("/") + f"/items/{item.public_id}/")
    page.get_by_role("tab", name="Redacted").click()
    expect(page.get_by_role("tabpanel", name="Redacted")).to_contain_text("You can reach Ann at [")
    page.keyboard.press("ArrowLeft")
    expect(page.get_by_role("tabpanel", name="Text")).to_contain_text(OUTPUT)
    expect(page.locator("[data-redacted]")).to_be_hidden()
