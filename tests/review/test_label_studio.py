"""Tasks of Label Studio: in, before reviewers, out, annotated there, and back."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.test import Client

from policies.services import activate, add_policy_version
from review.dashboard.queries import overturned
from review.errors import BadFile
from review.label_studio import answers, importing, labels, reading
from review.label_studio.exporting import export_waiting
from review.label_studio.importing import Report, import_tasks
from review.label_studio.reading import read_tasks
from review.models import Assignment, Queue, ReviewItem
from review.services.raising import ensure_default_queue
from tests.factories import POLICY, Cast, make_check
from tests.review.working import answer, claim_one, member, new_item, queue_of
from webapp.audit.models import AuditEvent
from webapp.interception.models import Check, Finding
from webapp.local.processes import Supervisor

TEXT = "😀 Write to Ann Lee\r\nat ann@example.com, dear."
HOSTILE = "<script>alert(1)</script>"


@pytest.fixture
def queue(cast: Cast, screen_workers: Supervisor) -> Queue:
    """Return a queue that no routing rule leads to; real workers screen."""
    other = ensure_default_queue(project=cast.project)
    return Queue.objects.create(project=cast.project, slug="partner", name="Partner", label_schema=other.label_schema)


def span(start: int, end: int, *names: object, text: str = TEXT, **more: Any) -> dict[str, Any]:
    value = {"start": start, "end": end, "labels": list(names), "text": text[start:end]}
    return {"id": "x", "from_name": "label", "to_name": "text", "type": "labels", "value": value, **more}


def choices(*names: object, control: str = "kind") -> dict[str, Any]:
    return {"from_name": control, "to_name": "text", "type": "choices", "value": {"choices": list(names)}}


def task(*results: dict[str, Any], text: str = TEXT, **data: Any) -> dict[str, Any]:
    return {"id": 7, "data": {"text": text, **data}, "annotations": [{"result": list(results), "was_cancelled": False}]}


def take(cast: Cast, queue: Queue, *tasks: dict[str, Any], **reading_by: Any) -> Report:
    given = read_tasks(json.dumps(list(tasks)).encode(), **reading_by)
    return import_tasks(given, application=cast.application, queue=queue)


def found(check: Check) -> set[tuple[str, int | None, int | None]]:
    rows = check.findings.filter(detector="label_studio").values_list("category", "start", "end")
    return set(rows)


def test_a_task_is_screened_and_comes_to_the_queue_with_its_labels(cast: Cast, queue: Queue) -> None:
    report = take(cast, queue, task(span(11, 18, "Person"), choices("Rude"), choices("fine", control="verdict")))

    check = Check.objects.get()
    assert (check.door, check.state, check.verdict) == ("label_studio", "concluded", "redact")
    assert check.unscanned == []
    assert check.content.released == TEXT.replace("ann@example.com", "[EMAIL_ADDRESS]")
    assert check.findings.filter(detector="pii", category="EMAIL_ADDRESS").exists()
    assert TEXT[11:18] == "Ann Lee"
    assert found(check) == {("PERSON", 11, 18), ("Rude", None, None)}
    item = ReviewItem.objects.get()
    assert (item.queue, item.state) == (queue, "pending")
    assert [trigger.kind for trigger in item.triggers.all()] == ["imported"]
    assert (report.made, report.again, report.labels) == (1, 0, 2)
    assert not report.left_out
    types = AuditEvent.objects.filter(project_id=cast.project.id).values_list("type", flat=True)
    assert {"check.concluded", "review.item.created", "review.item.labelled"} <= set(types)


def test_what_the_policy_holds_comes_to_the_named_queue_alone(cast: Cast, queue: Queue) -> None:
    holds = POLICY.replace("EMAIL_ADDRESS: redact", "EMAIL_ADDRESS: hold")
    activate(version=add_policy_version(project=cast.project, document=holds))

    take(cast, queue, task(), task(text="The shop opens at nine."))

    assert set(Check.objects.values_list("verdict", flat=True)) == {"hold", "allow"}
    assert {item.queue_id for item in ReviewItem.objects.all()} == {queue.pk}
    assert ReviewItem.objects.count() == Assignment.objects.count() == 2


def test_twice_is_harmless_and_new_labels_are_added(cast: Cast, queue: Queue) -> None:
    first = task(span(11, 18, "PERSON"))
    take(cast, queue, first, first)
    item = ReviewItem.objects.get()
    before = list(AuditEvent.objects.values_list("id", flat=True))

    again = take(cast, queue, first)

    assert (again.made, again.again, again.labels) == (0, 1, 0)
    assert list(AuditEvent.objects.values_list("id", flat=True)) == before
    more = take(cast, queue, task(span(11, 18, "PERSON"), span(3, 8, "VERB")))
    assert (more.made, more.labels) == (0, 1)
    assert Check.objects.count() == 1
    assert ReviewItem.objects.get().version == item.version + 1


def test_a_crash_leaves_no_check_without_its_item(cast: Cast, queue: Queue, monkeypatch: pytest.MonkeyPatch) -> None:
    def crash(*_: Any, **__: Any) -> None:
        raise RuntimeError("out of power")

    tasks = [task(span(11, 18, "PERSON")), task(text="Another text that somebody labelled.")]
    with monkeypatch.context() as patch:
        patch.setattr(importing, "record_event", crash)
        with pytest.raises(RuntimeError):
            take(cast, queue, *tasks)
    assert (Check.objects.count(), ReviewItem.objects.count(), Finding.objects.count()) == (0, 0, 0)

    assert take(cast, queue, *tasks).made == 2
    assert ReviewItem.objects.count() == 2


def test_predictions_are_taken_where_nobody_annotated(cast: Cast, queue: Queue) -> None:
    predicted = {"model_version": "ner-3", "score": 0.25, "result": [span(11, 18, "PERSON")]}
    cancelled = [{"was_cancelled": True, "result": [choices("Rude")]}]

    take(cast, queue, task() | {"annotations": cancelled, "predictions": [predicted, 12]})

    (finding,) = Finding.objects.filter(detector="label_studio")
    assert (finding.rule, finding.score, finding.model) == ("imported:prediction", 0.25, "ner-3")


def test_what_can_not_be_a_label_is_left_out_counted_and_named_without_quotes(cast: Cast, queue: Queue) -> None:
    hidden = span(11, 18, "PERSON")
    hidden["value"]["text"] = "Bob Lee"
    tasks = [
        task(text="A first text, that is in order."),
        task(
            *[span(0, len(TEXT) + 1, "X"), span(-1, 3, "X"), span(5, 5, "X"), span(True, 3, "X")],
            hidden,
            span(3, 8, "", "n" * 101, "a\nb", 4, None, HOSTILE),
            {"type": "textarea", "from_name": "why", "value": {"text": ["a secret"]}},
            {"type": "rating", "from_name": "stars", "value": {"rating": 5}},
            span(0, 3, "X", to_name="conversation"),
            {"type": "labels", "value": 3},
            "nothing",  # type: ignore[arg-type]  # as bad as files are
        ),
    ]

    report = take(cast, queue, *tasks)

    assert dict(report.left_out) == {
        (2, labels.OUTSIDE): 5,
        (2, labels.OTHER_TEXT): 1,
        (2, labels.BAD_NAME): 5,
        (2, answers.OTHER_WRITTEN): 1,
        (2, labels.OTHER_KIND): 1,
    }
    check = Check.objects.get(content__output=TEXT)
    assert found(check) == {(HOSTILE, 3, 8)}


def test_names_are_mapped_and_line_ends_of_browsers_forgiven(cast: Cast, queue: Queue) -> None:
    across = span(15, 22, "email address")
    across["value"]["text"] = "Lee\\nat"

    report = take(cast, queue, task(across, choices("self harm", "Prompt-Injection", "Ünïque")))

    assert not report.left_out
    assert found(Check.objects.get()) == {
        ("EMAIL_ADDRESS", 15, 22),
        ("self-harm", None, None),
        ("prompt_injection", None, None),
        ("Ünïque", None, None),
    }


@pytest.mark.parametrize(
    ("raw", "said"),
    [
        (b"\xff", "not valid UTF-8 at byte 0"),
        (b"[{", "not JSON: line 1, column 3"),
        (b"{}", "not an array of tasks"),
        (b"[]", "not an array of tasks"),
        (b'[{"data": {"text": "good"}}, 7]', "Task 2 is not an object"),
        (b'[{"data": {"txt": "a secret"}}]', "Task 1 has no text"),
        (b'[{"data": "a secret"}]', "Task 1 has no text"),
        (b'[{"data": {"text": "a secret\\u0000"}}]', "NUL"),
        (b'[{"data": {"text": "a secret", "messages": [{"author": "a secret"}]}}]', "Task 1: `messages.0.role`"),
        (b'[{"data": {"text": "' + b"a secret " * 150_000 + b'"}}]', "Task 1 is larger than a check may be"),
        (b"[" + b"[" * 100 + b"]" * 101, "nested deeper"),
    ],
)
def test_a_bad_file_is_refused_with_its_place(raw: bytes, said: str) -> None:
    with pytest.raises(BadFile, match=said) as refused:
        read_tasks(raw)
    assert "secret" not in str(refused.value)


def test_too_much_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "MAX_TASKS", 1)
    with pytest.raises(BadFile, match="more than 1 tasks"):
        read_tasks(b'[{"text": "a"}, {"text": "b"}]')
    monkeypatch.setattr(reading, "MAX_BYTES", 3)
    with pytest.raises(BadFile, match="larger than"):
        read_tasks(b"[   ]")


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


def test_labels_of_a_decided_item_and_of_another_text_are_left_out(cast: Cast, queue: Queue) -> None:
    queue_of(cast, undo_seconds=0)
    item = new_item(cast)
    reviewer = member(cast, cast.reviewer)
    answer(claim_one(cast, reviewer), reviewer, "block")
    other = make_check(cast, output=TEXT)
    text = item.checked.content.output
    assert text is not None

    report = take(
        cast,
        queue,
        task(span(0, 3, "X", text=text), text=text, countersign_check=item.checked.public_id),
        task(span(0, 3, "X", text="Changed."), text="Changed.", countersign_check=other.public_id),
    )

    assert dict(report.left_out) == {(1, importing.DECIDED): 1, (2, importing.CHANGED): 1}
    assert not Finding.objects.filter(detector="label_studio").exists()


def test_a_check_of_another_project_is_out_of_reach(cast: Cast, queue: Queue) -> None:
    theirs = make_check(cast, output=TEXT)
    with connection.cursor() as cursor:
        cursor.execute("UPDATE interception_check SET project_id = %s", [cast.other_project.id])

    report = take(cast, queue, task(span(11, 18, "PERSON"), countersign_check=theirs.public_id))

    assert report.made == 1
    assert found(theirs) == set()


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
