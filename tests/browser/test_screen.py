"""What stays, and what is said, while item after item comes on screen; in German, as a reviewer chose it."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from review.models import ReviewItem
from tests.browser.console import wait_saved
from tests.factories import Cast
from tests.review.working import new_item, queue_of

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

#: The box of everything that stays where it is, in CSS pixels.
PLACES = """() => Object.fromEntries([".strip", ".stage-head", ".panel", ".panel-output", ".panel-answer", ".verdicts",
    "input[value=release]", "input[value=block]", "[data-submit]", "[data-open-skip]", ".tabs"].map((place) => {
  const { x, y, width } = document.querySelector(place).getBoundingClientRect();
  return [place, [x, y, width].map(Math.round)];
}))"""


def test_nothing_moves_from_item_to_item_and_each_is_announced(cast: Cast, open_queues: Callable[..., Page]) -> None:
    turns = [{"role": role, "content": "And then?"} for role in ("user", "assistant") * 6]
    items = [
        new_item(cast),
        new_item(cast, output="Gut.", findings=[], verdict="block"),
        new_item(cast, output="Schreiben Sie an ann@example.com.\n" * 300, messages=turns),
        new_item(cast, output="\u0627\u062a\u0635\u0644 \u0628\u0623\u062d\u0645\u062f", findings=[]),
    ]
    queue_of(cast, blind_rate=1.0)
    items.append(new_item(cast))
    for place, (item, severity) in enumerate(zip(items, (4, 3, 2, 1, 1), strict=True)):
        ReviewItem.objects.filter(pk=item.pk).update(severity=severity)
        item.assignments.update(priority=-place)
    page = open_queues()
    page.get_by_role("link", name="Language").click()
    page.get_by_label("Language of the pages").select_option(label="Deutsch")
    page.get_by_role("button", name="Save").click()
    expect(page.locator("html")).to_have_attribute("lang", "de")
    page.goto(page.url.split("/accounts/")[0] + "/p/acme/review/")
    page.get_by_role("button", name="Prüfung beginnen").press("Enter")
    said = page.locator("#announcer")
    places = []
    for number, words in enumerate(["", "hoch", "mittel", "niedrig", "unbekannt"]):
        page.wait_for_url(f"**/{items[number].public_id}/")
        expect(page.locator("#console")).to_have_attribute("data-ahead", "ready" if number < 4 else "none")
        if words:
            expect(said).to_have_text(f"Nächster Fall. Schwere: {words}.")
            expect(page.get_by_role("article", name="Zu prüfender Fall")).to_be_focused()
        places.append(page.evaluate(PLACES))
        page.keyboard.press("b")
        expect(said).to_have_text("Sperren gewählt. Die Eingabetaste gibt ab.")
        expect(page.locator("[data-saved]")).to_have_text("Entwurf bewahrt")
        places.append(page.evaluate(PLACES))
        page.keyboard.press("1")
        expect(said).to_have_text("harassment: ja")
        page.keyboard.press("Enter")
        if number < 4:
            wait_saved(page)
    page.wait_for_url("**/review/")
    page.keyboard.press("z")
    expect(page.get_by_text("Sie haben blind geantwortet")).to_be_visible()
    places.append(page.evaluate(PLACES))
    boxes = {name: {tuple(box[name]) for box in places} for name in places[0]}
    assert {name: seen for name, seen in boxes.items() if len(seen) > 1} == {}
    assert [item.annotations.get().outcome for item in items] == ["block"] * 5
