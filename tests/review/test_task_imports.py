"""A lead brings a file of tasks in: looked at first, imported by the sweep, once however often it comes."""

from __future__ import annotations

import datetime as dt
import json
from collections import Counter
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.http import HttpResponse
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from review.label_studio import importing, preview
from review.label_studio.importing import DECIDED
from review.models import Queue, ReviewItem, Suggestion, TaskBatch, TaskImport
from review.services import task_imports
from review.services.raising import ensure_default_queue
from review.services.task_imports import sweep_imports
from tests.factories import Cast
from tests.review.test_suggestions import choice
from tests.review.working import answer, claim_one, events, member, new_item, queue_of
from webapp.interception.models import Check
from webapp.local.processes import Supervisor
from workers.client import Overloaded

HERE = "/p/acme/review/imports/"


@pytest.fixture
def lead(cast: Cast, client: Client) -> Client:
    ensure_default_queue(project=cast.project)
    client.force_login(cast.lead)
    return client


def tasks(number: int, **more: Any) -> list[dict[str, Any]]:
    said = [{"result": [choice("verdict", "fine"), choice("kind", "Rude", 3)], "was_cancelled": False}]
    return [{"data": {"text": f"The shop in street {n} opens at nine."}, "annotations": said} for n in range(number)]


def upload(client: Client, cast: Cast, content: object, **fields: str) -> HttpResponse:
    raw = content if isinstance(content, bytes) else json.dumps(content).encode()
    form = {"queue": "default", "application": str(cast.application.id), "text_key": "text", **fields}
    return client.post(HERE, {"file": SimpleUploadedFile("tasks.json", raw), **form})  # type: ignore[return-value]


def page(client: Client) -> str:
    return client.get(f"{HERE}{TaskImport.objects.get().id}/").content.decode()


def test_a_file_is_looked_at_then_brought_in_with_visible_progress(
    cast: Cast, lead: Client, screen_workers: Supervisor
) -> None:
    answered = upload(lead, cast, tasks(20))
    found = TaskImport.objects.get()
    assert answered.headers["Location"] == f"{HERE}{found.id}/"
    shown = page(lead)
    assert "20 with annotations of people" in shown
    assert "20 labels, 20 verdicts, corrections or notes" in shown
    assert "20: a label that is empty" in shown
    assert not Check.objects.exists()
    assert sweep_imports() == 0

    lead.post(f"{HERE}{found.id}/start/")
    assert 'hx-trigger="every 1s"' in page(lead)
    assert task_imports._step(found.id) == 16
    assert "16 of 20 tasks." in page(lead)
    sweep_imports()

    shown = page(lead)
    assert "hx-trigger" not in shown
    assert "20 new checks" in shown
    assert "20 new labels, 20 new verdicts" in shown
    assert (ReviewItem.objects.count(), Suggestion.objects.count(), TaskBatch.objects.count()) == (20, 20, 0)
    (started,) = events("review.import.started")
    assert (started["actor"]["role"], started["counts"]) == ("lead", {"tasks": 20})
    assert {event["actor"]["role"] for event in events("review.item.labelled")} == {"lead"}

    upload(lead, cast, tasks(20))
    again = TaskImport.objects.latest("created_at")
    assert again.preview["here"] == 20
    lead.post(f"{HERE}{again.id}/start/")
    sweep_imports()
    again.refresh_from_db()
    assert (again.state, again.made, again.again, again.labels, again.answers) == ("done", 0, 20, 0, 0)
    assert (Check.objects.count(), ReviewItem.objects.count(), Suggestion.objects.count()) == (20, 20, 20)


def test_items_that_do_not_wait_are_named_before_the_import(cast: Cast, lead: Client) -> None:
    queue_of(cast, undo_seconds=0)
    check = new_item(cast).checked
    reviewer = member(cast, cast.reviewer)
    answer(claim_one(cast, reviewer), reviewer, "block")
    (task,) = tasks(1)
    task["data"] = {"text": check.content.output, "countersign_check": check.public_id}

    upload(lead, cast, [task])

    counted = TaskImport.objects.get().preview
    assert counted["here"] == 1
    assert [1, DECIDED, 2] in counted["left_out"]


@pytest.mark.parametrize(
    ("content", "fields", "said"),
    [
        (b"[{", {}, "Task 1 is not JSON: line 1, column 2"),
        (b"", {}, "empty"),
        ([{"data": {"words": "x"}}], {}, "Task 1 has no text"),
        ([{"data": {"text": "x"}}], {"queue": "none"}, "Select a valid choice"),
        ([{"data": {"text": "x"}}], {"application": "none"}, "Select a valid choice"),
        ([{"data": {"text": "x"}}], {"policy": "none"}, "Select a valid choice"),
    ],
)
def test_a_bad_file_or_form_is_refused(
    cast: Cast, lead: Client, content: object, fields: dict[str, str], said: str
) -> None:
    answered = upload(lead, cast, content, **fields)

    assert answered.status_code == 422
    assert said in answered.content.decode()
    assert not TaskImport.objects.exists()


def test_what_is_too_large_is_refused_before_it_is_read(cast: Cast, lead: Client, settings: Settings) -> None:
    settings.UPLOAD_MAX_SIZE = 1_000

    answered = upload(lead, cast, b" " * 2_000)

    assert answered.status_code == 413
    assert not TaskImport.objects.exists()


def test_an_application_of_another_project_can_not_be_named(cast: Cast, lead: Client) -> None:
    theirs = cast.other_project.applications.create(name="theirs")

    assert upload(lead, cast, tasks(1), application=str(theirs.id)).status_code == 422


def test_workers_with_too_much_to_do_stop_nothing(
    cast: Cast, lead: Client, screen_workers: Supervisor, monkeypatch: pytest.MonkeyPatch
) -> None:
    def busy(*_: Any) -> None:
        raise Overloaded

    upload(lead, cast, tasks(2))
    lead.post(f"{HERE}{TaskImport.objects.get().id}/start/")
    with monkeypatch.context() as patch:
        patch.setattr(importing, "screen_intakes", busy)
        assert sweep_imports() == 0
    assert TaskImport.objects.get().state == "running"
    assert sweep_imports() == 2


def test_an_import_that_can_not_go_on_says_why_and_goes_on_when_asked(
    cast: Cast, lead: Client, screen_workers: Supervisor
) -> None:
    upload(lead, cast, tasks(2))
    found = TaskImport.objects.get()
    TaskImport.objects.update(policy="gone")
    lead.post(f"{HERE}{found.id}/start/")
    sweep_imports()
    assert "no active policy of that name" in page(lead)

    TaskImport.objects.update(policy="")
    lead.post(f"{HERE}{found.id}/start/")
    assert sweep_imports() == 2
    sweep_imports()
    assert TaskImport.objects.get().state == "done"


def test_a_file_that_nobody_starts_is_forgotten(cast: Cast, lead: Client) -> None:
    upload(lead, cast, tasks(1))
    lead.post(f"{HERE}{TaskImport.objects.get().id}/discard/")
    assert (TaskImport.objects.count(), TaskBatch.objects.count()) == (0, 0)

    upload(lead, cast, tasks(1))
    sweep_imports()
    assert TaskImport.objects.count() == 1
    TaskImport.objects.update(created_at=timezone.now() - dt.timedelta(days=2))
    sweep_imports()
    assert (TaskImport.objects.count(), TaskBatch.objects.count(), Queue.objects.count()) == (0, 0, 1)


def test_imports_of_another_project_are_out_of_reach(cast: Cast, lead: Client, client: Client) -> None:
    upload(lead, cast, tasks(1))
    theirs = f"/p/other/review/imports/{TaskImport.objects.get().id}/"
    client.force_login(cast.outsider)

    assert client.get(theirs).status_code == 404
    assert [client.post(f"{theirs}{doing}/").status_code for doing in ("start", "discard")] == [404, 404]
    assert TaskImport.objects.get().state == "looked_at"


def test_what_is_left_out_is_counted_whole_and_named_in_part(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(preview, "KEPT_ROWS", 2)
    rows = preview.as_rows(Counter({(1, "a"): 1, (2, "a"): 2, (3, "a"): 3}))
    rows = preview.as_rows(Counter({(4, "b"): 4, (5, "a"): 5}), rows)

    assert rows == [(1, "a", 1), (2, "a", 2), (0, "a", 8), (0, "b", 4)]
    assert preview.totals(rows) == {"a": 11, "b": 4}
