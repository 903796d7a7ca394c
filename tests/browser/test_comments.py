"""Comments in Chromium: on marked words, with the keyboard, and without scripts."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from review.models import Comment, Mention
from tests.browser.console import start
from tests.factories import Cast
from tests.review.working import new_item

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
HOSTILE = "<img src=x onerror=\"document.title='pwned'\"> @lead"
MARK_THE_LAST = """() => {
const walk = document.createTreeWalker(document.querySelector(".output"), NodeFilter.SHOW_TEXT);
let end = null;
while (walk.nextNode()) end = walk.currentNode;
window.getSelection().setBaseAndExtent(end, end.length - 3, end, end.length);
}"""


def test_words_of_the_output_are_commented_and_a_lead_is_asked(cast: Cast, open_queues: Callable[..., Page]) -> None:
    output = "👍 one, ann@example.com, one"
    item = new_item(cast, output=output)
    page = open_queues(intercepts=True)
    start(page)
    page.evaluate(MARK_THE_LAST)
    page.keyboard.press("c")
    expect(page.get_by_label("About these words")).to_have_value("one")
    page.keyboard.type(HOSTILE)
    page.route("**/comment/", lambda route: route.abort())
    page.keyboard.press("Control+Enter")
    expect(page.locator("[data-comment-error]")).to_contain_text("can not be reached")
    page.unroute("**/comment/")
    page.keyboard.press("Control+Enter")
    expect(page.locator(".remark .prose")).to_have_text(HOSTILE)
    expect(page.locator(".remark-quote")).to_have_text("one")
    comment = Comment.objects.get()
    assert (comment.start, comment.end) == (len(output) - 3, len(output))
    assert "pwned" not in page.title()
    page.keyboard.press("c")
    page.keyboard.type("b, and again")
    page.get_by_label("Ask").last.select_option("owner")
    page.keyboard.press("Control+Enter")
    expect(page.locator(".remark")).to_have_count(2)
    assert not item.annotations.exists()
    assert set(Mention.objects.values_list("user__username", flat=True)) == {"lead", "owner"}
    lead = open_queues(cast.lead)
    lead.get_by_role("link", name="You were mentioned").click()
    lead.wait_for_url("**/mine/#mentions")
    lead.get_by_role("link", name="rvw_").first.click()
    expect(lead.locator(".remark").first).to_contain_text("Asked: you")


def test_comments_work_without_scripts(cast: Cast, open_queues: Callable[..., Page]) -> None:
    new_item(cast)
    page = open_queues(scripts=False)
    page.get_by_role("button", name="Start reviewing").click()
    page.get_by_label("What do you want to say or ask?").fill("@lead?")
    page.get_by_label("About these words").fill("idiot")
    page.get_by_role("button", name="Comment").click()
    expect(page.locator(".remark")).to_contain_text("@lead?")
    expect(page.get_by_role("button", name="Submit and next")).to_be_visible()
    assert Comment.objects.get().start is not None
