"""What was annotated in Label Studio comes before reviewers as suggestions, and goes there again."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Callable

import pytest
from playwright.sync_api import FilePayload, Page, expect

from review.models import Annotation, ReviewItem
from review.services import ensure_default_queue
from review.services.task_imports import sweep_imports
from tests.browser.console import start
from tests.factories import Cast
from tests.review.test_suggestions import choice, written
from webapp.local.processes import Supervisor

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
TEXT = "Our desk opens at nine, you fool."
SAID = [choice("outcome", "replace"), written("correction", "Our desk opens at nine.")]
TASKS = [{"data": {"text": TEXT}, "annotations": [{"result": SAID, "was_cancelled": False}]}]


def test_a_lead_imports_a_file_and_a_reviewer_takes_a_suggestion_over(
    cast: Cast, open_queues: Callable[..., Page], screen_workers: Supervisor
) -> None:
    ensure_default_queue(project=cast.project)
    page = open_queues(cast.lead)
    page.get_by_role("link", name="All items").click()
    page.get_by_role("link", name="Import from Label Studio").click()
    file: FilePayload = {"name": "tasks.json", "mimeType": "application/json", "buffer": json.dumps(TASKS).encode()}
    page.get_by_label("File").set_input_files(file)
    page.get_by_label("Application").select_option(label=cast.application.name)
    page.get_by_role("button", name="Look at the file").click()
    page.get_by_role("button", name="Bring 1 task in").click()
    expect(page.get_by_text("0 of 1 task")).to_be_visible()
    assert sweep_imports() == 1
    expect(page.get_by_text("1 new check")).to_be_visible()

    desk = open_queues()
    start(desk)
    desk.get_by_role("link", name="Take over").click()
    expect(desk.get_by_role("tabpanel", name="Edit").get_by_role("textbox")).to_have_value("Our desk opens at nine.")
    desk.get_by_role("button", name="Submit and next").click()
    desk.wait_for_url("**/review/")
    stored = Annotation.objects.get()
    assert (stored.outcome, stored.correction.text) == ("replace", "Our desk opens at nine.")

    page.get_by_role("link", name="Import from Label Studio").click()
    page.get_by_role("link", name="Back to the list").click()
    page.get_by_text("Hand all of these to Label Studio").click()
    with page.expect_download() as download:
        page.get_by_role("button", name="Download").click()
    with zipfile.ZipFile(download.value.path()) as archive:
        [name] = [name for name in archive.namelist() if name.endswith(".json")]
        [task] = json.loads(archive.read(name))
    assert task["data"]["text"] == TEXT
    assert task["data"]["countersign_check"] == ReviewItem.objects.get().checked.public_id
