"""Marks in the output, worked on in Chromium with the keyboard and the mouse."""

from __future__ import annotations

import json
import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from review.models import Annotation
from tests.browser.console import start
from tests.factories import Cast
from tests.review.working import new_item
from webapp.interception.models import Release

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
#: Astral characters, a joined emoji, a combining mark, CRLF and text from right to left.
OUTPUT = "😀 Ann Li\u0301ma 👩🏽\u200d💻 wrote:\r\nاتصل بأحمد على ann@example.com اليوم.\nAnn again."
#: Counts in `drawn` the characters of the output that are drawn again.
COUNT_DRAWN = """() => {
  globalThis.drawn = 0;
  new MutationObserver((changes) => changes.forEach(({ addedNodes }) => addedNodes.forEach((node) => {
    globalThis.drawn += node.textContent.length;
  }))).observe(document.querySelector("[data-output]"), { childList: true, subtree: true });
}"""


def found(category: str, text: str) -> dict[str, object]:
    at = OUTPUT.index(text)
    place = {"rule": "pii", "detector": "pii", "score": 0.9, "action": "redact", "category": category}
    return place | {"start": at, "end": at + len(text)}


def marked(page: Page) -> dict[str, str]:
    """Return the texts of the places that the form would send, by label."""
    spans = json.loads(page.locator("input[name=spans]").input_value() or "[]")
    return {f"{span['label']}{span['finding'] or ''}": OUTPUT[span["start"] : span["end"]] for span in spans}


def press(page: Page, *keys: str) -> None:
    for key in keys:
        page.keyboard.press(key)


def test_marks_are_moved_renamed_and_added_with_keys(cast: Cast, open_queues: Callable[..., Page]) -> None:
    new_item(cast, output=OUTPUT, findings=[found("PERSON", "Ann"), found("URL", "example.com")])
    page = open_queues()
    start(page)
    press(page, "F2", *["}"] * 5)
    assert marked(page) == {"PERSON1": "Ann Li\u0301ma"}
    press(page, *["}"] * 2)
    assert marked(page) == {"PERSON1": "Ann Li\u0301ma 👩🏽\u200d💻"}
    press(page, "{", "{", "[", "[")
    assert marked(page) == {"PERSON1": "😀 Ann Li\u0301ma"}
    press(page, "]", "]", "Tab")
    for _ in range(4):
        page.keyboard.down("[")  # held down, it runs
    page.keyboard.up("[")
    press(page, "t")
    page.keyboard.type("email")
    press(page, "Enter")
    assert marked(page) == {"PERSON1": "Ann Li\u0301ma", "EMAIL_ADDRESS2": "ann@example.com"}
    press(page, "n")
    page.keyboard.type("Ann")
    press(page, "Enter", "p", "e", "r", "s", "o", "n", "Enter")
    expect(page.locator(".finding.is-current")).to_contain_text("marked by you")
    assert marked(page)["PERSON"] == "Ann"
    expect(page.locator(".hl.is-current")).to_have_text("Ann")
    with page.expect_response("**/redacted/"):
        press(page, "r")
    out = "😀 [PERSON] 👩🏽\u200d💻 wrote:\nاتصل بأحمد على [EMAIL_ADDRESS] اليوم.\n[PERSON] again."
    expect(page.locator("[data-redacted]")).to_have_text(out)
    press(page, "Escape", "F2", "Space")
    page.get_by_role("tab", name="Redacted").click()
    expect(page.locator("[data-redacted]")).to_have_text(out.replace("[PERSON]", "Ann Li\u0301ma", 1))
    press(page, "Escape", "F2", "Space", "Escape", "Control+Enter")
    page.wait_for_url("**/review/")
    changes = dict(Annotation.objects.get().spans.values_list("change", "label"))
    assert changes == {"resized": "PERSON", "retyped": "EMAIL_ADDRESS", "added": "PERSON"}
    assert Release.objects.get().output == out.replace("\n", "\r\n", 1)


def test_marks_are_worked_on_with_the_mouse(cast: Cast, open_queues: Callable[..., Page]) -> None:
    new_item(cast, output=OUTPUT, findings=[found("PERSON", "Ann"), found("LOCATION", "Ann Li\u0301ma")])
    page = open_queues()
    start(page)
    # Two that overlap: the longer one below the text, the other one above it.
    expect(page.locator(".hl-also-pii")).to_have_text("Ann")
    select(page, "Ann again")
    tools = page.locator("[data-span-tools]")
    tools.get_by_role("button", name="New N").click()
    page.get_by_role("button", name="ORGANIZATION").click()
    assert marked(page) == {"ORGANIZATION": "Ann again"}
    tools.get_by_role("button", name="End one character earlier").click()
    assert marked(page) == {"ORGANIZATION": "Ann agai"}
    select(page, "nn ag")
    tools.get_by_role("button", name="To selection").click()
    assert marked(page) == {"ORGANIZATION": "nn ag"}
    page.get_by_role("tab", name="Edit").click()
    page.get_by_role("button", name="Begin with the redacted text").click()
    expect(page.locator(".editor")).to_have_value(re.compile(r"A\[ORGANIZATION\]ain\.$"))
    page.get_by_role("tab", name="Text").click()
    page.locator(".hl", has_text="nn ag").click()
    tools.get_by_role("button", name="Keep or drop").click()
    assert marked(page) == {}
    expect(page.locator(".editor")).to_have_value(re.compile(r"Ann again\.$"))


def test_in_a_long_output_a_key_draws_only_what_it_changes(cast: Cast, open_queues: Callable[..., Page]) -> None:
    text = f"{OUTPUT}\n" * (20_000 // len(OUTPUT))
    starts = [match.start() for match in re.finditer("Ann again", text)][::8]
    people = [found("PERSON", "Ann") | {"start": start, "end": start + 3} for start in starts]
    item = new_item(cast, output=text, findings=people)
    page = open_queues()
    start(page)
    press(page, "F2", *["Tab"] * 20)
    page.evaluate(COUNT_DRAWN)
    press(page, *["}"] * 6)
    assert 0 < page.evaluate("drawn") < 6 * 5_000, "characters of the output"
    with page.expect_response("**/redacted/"):
        press(page, "r")
    expect(page.locator("[data-redacted]")).to_contain_text("[PERSON].\n😀 Ann")
    page.get_by_role("tab", name="Edit").click()
    page.get_by_role("button", name="Begin with the redacted text").click()
    expect(page.locator("[data-diff] ins")).to_have_count(len(starts))
    page.get_by_role("button", name="Undo all edits").click()
    press(page, "Escape", "r", "r")
    page.wait_for_url("**/review/")
    [moved] = Annotation.objects.get().spans.filter(change="resized")
    assert text[moved.start : moved.end] == "Ann again"
    release = Release.objects.get(checked=item.checked)
    assert (release.output or "").count("[PERSON]") == len(starts)


def select(page: Page, text: str) -> None:
    page.evaluate(
        """(text) => {
          const walker = document.createTreeWalker(document.querySelector("[data-output]"), NodeFilter.SHOW_TEXT);
          while (walker.nextNode()) {
            const at = walker.currentNode.data.indexOf(text);
            if (at >= 0) getSelection().setBaseAndExtent(walker.currentNode, at, walker.currentNode, at + text.length);
          }
        }""",
        text,
    )
