"""Items go to Label Studio, are annotated there, and come back; and the commands that do it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest
from django.core.management import CommandError, call_command
from django.test import Client

from review.dashboard.queries import overturned
from review.label_studio import labels
from review.label_studio.exporting import export_waiting
from review.models import Queue, ReviewItem
from tests.factories import Cast, make_check
from tests.review.label_studio import HOSTILE, TEXT, choices, found, span, take, task
from tests.review.working import answer, claim_one, member, new_item, queue_of
from webapp.audit.models import AuditEvent
from webapp.interception.models import Check


def test_there_and_back_labels_reach_the_item_that_was_exported(cast: Cast, queue: Queue, tmp_path: Path) -> None:
    check = make_check(cast, output=TEXT + " idiot", findings=[found_at(23, 38), hostile_finding()])
    item = ReviewItem.objects.get(checked=check)
    out = tmp_path / "tasks.json"

    assert export_waiting(item.queue, out)[0] == 1

    (exported,) = json.loads(out.read_text())
    assert exported["data"]["text"][23:38] == "ann@example.com"
    (predicted,) = exported["predictions"]
    assert predicted["result"][0]["value"]["labels"] == ["EMAIL_ADDRESS"]
    config = ET.fromstring((tmp_path / "tasks.label_config.xml").read_text())  # noqa: S314 - our own file
    assert HOSTILE in {choice.get("value") for choice in config.iter("Choice")}
    assert {path.stat().st_mode & 0o777 for path in tmp_path.iterdir()} == {0o600}
    assert len(list(tmp_path.iterdir())) == 2

    # Somebody there confirms what was found and marks a name. Label Studio gives predictions back as they came.
    said = [predicted["result"][0], span(11, 18, "PERSON"), choices("harassment", control="categories")]
    exported |= {"id": 1, "annotations": [{"id": 5, "completed_by": 3, "result": said, "was_cancelled": False}]}
    report = take(cast, queue, exported)

    assert (report.made, report.again, report.labels) == (0, 1, 2)
    assert Check.objects.count() == 1
    assert found(check) == {("PERSON", 11, 18), ("harassment", None, None)}
    after = ReviewItem.objects.get()
    assert (after.pk, after.queue, after.version) == (item.pk, item.queue, item.version + 1)
    assert [t.kind for t in after.triggers.order_by("pk")] == ["held", "imported"]
    take(cast, queue, exported)
    assert ReviewItem.objects.get().version == after.version
    client = Client()
    client.force_login(cast.lead)
    page = client.get(f"/p/acme/review/items/{item.public_id}/").content.decode()
    assert 'title="PERSON">Ann Lee</mark>' in page
    assert ">imported<" in page
    assert HOSTILE not in page


def found_at(start: int, end: int) -> dict[str, Any]:
    where = {"category": "EMAIL_ADDRESS", "start": start, "end": end, "score": 1.0, "action": "redact"}
    return {"rule": "pii", "detector": "pii", **where}


def hostile_finding() -> dict[str, Any]:
    return {"rule": "served", "detector": "served", "category": HOSTILE, "score": 0.5, "action": "flag"}


def test_blind_items_leave_without_what_the_machine_found(cast: Cast, tmp_path: Path) -> None:
    make_check(cast, output=TEXT)
    ReviewItem.objects.update(blind=True)
    queue = Queue.objects.get(project=cast.project)

    export_waiting(queue, tmp_path / "tasks.json")

    (exported,) = json.loads((tmp_path / "tasks.json").read_text())
    assert exported["predictions"] == []
    event = AuditEvent.objects.get(type="review.queue.exported")
    assert json.loads(bytes(event.envelope))["counts"] == {"rows": 1}


def test_a_failed_export_leaves_no_file_and_a_failed_event_no_export(
    cast: Cast, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(**_: Any) -> None:
        raise OSError(28, "No space left on device")

    make_check(cast, output=TEXT)
    monkeypatch.setattr("review.label_studio.exporting.record_event", fail)
    with pytest.raises(OSError, match="No space"):
        export_waiting(Queue.objects.get(project=cast.project), tmp_path / "tasks.json")
    assert list(tmp_path.iterdir()) == []


def test_the_commands_say_what_they_did(
    cast: Cast, queue: Queue, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "in.json"
    file.write_text(json.dumps([task(span(11, 18, "PERSON"), span(0, 999, "X"), quote=TEXT)]))
    asked = {"project": "acme", "queue": "partner"}

    call_command("label_studio", "import", str(file), "--application=assistant", "--project=acme", "--queue=partner")
    said = capsys.readouterr().out
    assert "1 new checks, 0 that were there, 1 new labels, 0 new answers" in said
    assert f"  task 1: 1 ({labels.OUTSIDE})" in said
    assert "Ann" not in said

    call_command("label_studio", "export", f"--out={tmp_path / 'out.json'}", "--project=acme", "--queue=partner")
    assert "1 waiting items of partner" in capsys.readouterr().out
    (exported,) = json.loads((tmp_path / "out.json").read_text())
    assert [p["model_version"] for p in exported["predictions"]] == ["support-bot 1", "label_studio"]

    for wrong in ({"project": "none"}, {"queue": "none"}, {"application": "none"}, {"policy": "none"}):
        given = {**asked, "application": "assistant", **wrong}
        with pytest.raises(CommandError, match=r"There is no|no active policy"):
            call_command("label_studio", "import", str(file), *[f"--{name}={value}" for name, value in given.items()])
    with pytest.raises(CommandError, match="No such file"):
        call_command("label_studio", "export", "--out=/nowhere/x.json", "--project=acme", "--queue=partner")


def test_no_figure_of_a_rule_counts_imported_labels(cast: Cast) -> None:
    queue_of(cast, undo_seconds=0)
    imported = {"rule": "imported:annotation", "detector": "label_studio", "category": "PERSON", "score": 1.0}
    item = new_item(cast, verdict="allow", findings=[{**imported, "action": "observe", "start": 0, "end": 3}])
    reviewer = member(cast, cast.reviewer)
    answer(claim_one(cast, reviewer), reviewer, "block")

    rows = overturned(cast.project, item.created_at)

    assert [tuple(row) for row in rows] == [(None, 1, 1)]
