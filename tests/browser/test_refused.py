"""Answers that the server did not take: nothing is lost, and the item comes back with what is new."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, Route, expect

from review.models import Annotation, Queue
from review.services import change_queue
from tests.browser.console import start, wait_saved
from tests.factories import Cast
from tests.review.working import new_item
from webapp.accounts.models import Membership

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def test_an_item_whose_queue_moved_to_other_choices_comes_back_with_them(
    cast: Cast, open_queues: Callable[..., Page]
) -> None:
    new_item(cast)
    page = open_queues()
    start(page)
    queue = Queue.objects.select_related("label_schema").get()
    page.keyboard.press("1")
    page.get_by_label("Note").fill("Mine.")
    definition = {"categories": ["harassment", "spam"], "outcomes": ["release", "block"], "rubric": []}
    version = queue.label_schema.schema.versions.create(version=2, definition=definition)
    lead = Membership.objects.get(project=cast.project, user=cast.lead)
    change_queue(queue=queue, version=1, settings={"label_schema": version}, membership=lead)
    page.locator("input[name=outcome][value=release]").check()
    page.get_by_role("button", name="Submit and next").click()
    page.get_by_role("button", name="Back to the item").click()
    expect(page.locator(".stage [data-error]")).to_contain_text("Look again, then submit.")
    expect(page.locator(".category-name")).to_have_count(2)
    expect(page.locator("input[name=outcome]")).to_have_count(2)
    page.get_by_role("button", name="Submit and next").click()
    page.wait_for_url("**/review/")
    stored = Annotation.objects.get()
    assert (stored.outcome, stored.labels, stored.rationale) == ("release", {"harassment": True}, "Mine.")


def test_an_answer_to_an_item_that_changed_waits_until_what_is_new_is_there(
    cast: Cast, open_queues: Callable[..., Page]
) -> None:
    item = new_item(cast)
    page = open_queues(intercepts=True)
    start(page)
    item.version += 1
    item.save(update_fields=["version"])
    page.keyboard.press("b")
    page.keyboard.press("b")
    page.get_by_role("button", name="Back to the item").wait_for()
    held: list[Route] = []
    page.route(f"**/items/{item.public_id}/", lambda route: held.append(route))
    with page.expect_request(f"**/items/{item.public_id}/"):
        page.get_by_role("button", name="Back to the item").click()
    expect(page.locator(".stage [data-error]")).to_contain_text("Look again, then submit.")
    page.get_by_role("button", name="Submit and next").click()
    (renewed,) = held
    assert not item.annotations.exists()
    renewed.continue_()
    page.wait_for_url("**/review/")
    assert item.annotations.get().outcome == "block"


def test_an_answer_that_could_not_be_saved_is_sent_again(cast: Cast, open_queues: Callable[..., Page]) -> None:
    first, _ = new_item(cast), new_item(cast)
    page = open_queues(intercepts=True)
    start(page)
    page.keyboard.press("w")
    page.keyboard.type("do not lose this: release!")
    page.route("**/submit/", lambda route: route.abort())
    page.keyboard.press("Escape")
    page.keyboard.press("b")
    page.keyboard.press("Control+Enter")
    expect(page.locator("#trouble")).to_contain_text("Not saved")
    page.unroute("**/submit/")
    page.get_by_role("button", name="Try again").click()
    wait_saved(page)
    annotation = first.annotations.get()
    assert (annotation.outcome, annotation.rationale) == ("block", "do not lose this: release!")
