"""Tasks of Label Studio come before reviewers."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.db import connection

from policies.services import activate, add_policy_version
from review.errors import BadFile
from review.label_studio import answers, importing, labels, reading, splitting
from review.label_studio.reading import read_tasks
from review.label_studio.splitting import split_tasks
from review.models import Assignment, Queue, ReviewItem
from tests.factories import POLICY, Cast, make_check
from tests.review.label_studio import HOSTILE, TEXT, choices, found, span, take, task
from tests.review.working import answer, claim_one, member, new_item, queue_of
from webapp.audit.models import AuditEvent
from webapp.interception.models import Check, Finding


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


#: A file, and what is said of it.
BAD_FILES = (
    (b"\xff", "not an array of tasks"),
    (b'[{"text": "\xff"}]', "Task 1 is not valid UTF-8 at byte 10"),
    (b"[{", "Task 1 is not JSON: line 1, column 2"),
    (b'[{"text": "good"}, {"text": "a secret]', "Task 2 is not JSON: line 1, column"),
    (b'[{"text": "good"},]', "Task 2 is not JSON"),
    (b'[{"text": "good"}', "The file is not JSON: line 1, column 18"),
    ('[\n{"text": "日本"} {"text": "a secret"}]'.encode(), "The file is not JSON: line 2, column 16"),
    (b'[{"text": "good"}] [', "The file is not JSON"),
    (b"{}", "not an array of tasks"),
    (b"[]", "not an array of tasks"),
    (b'[{"data": {"text": "good"}}, 7]', "Task 2 is not an object"),
    (b'[{"data": {"txt": "a secret"}}]', "Task 1 has no text"),
    (b'[{"data": "a secret"}]', "Task 1 has no text"),
    (b'[{"data": {"text": "a secret\\u0000"}}]', "NUL"),
    (b'[{"data": {"text": "a secret", "messages": [{"author": "a secret"}]}}]', "Task 1: `messages.0.role`"),
    (b'[{"data": {"text": "' + b"a secret " * 150_000 + b'"}}]', "Task 1 is larger than a check may be"),
    (b"[" + b"[" * 100 + b"]" * 101, "nested deeper"),
)


@pytest.mark.parametrize(("raw", "said"), BAD_FILES)
def test_a_bad_file_is_refused_with_its_place(raw: bytes, said: str) -> None:
    with pytest.raises(BadFile, match=said) as refused:
        read_tasks(raw)
    assert "secret" not in str(refused.value)


def test_too_much_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(splitting, "MAX_TASKS", 1)
    with pytest.raises(BadFile, match="more than 1 tasks"):
        read_tasks(b'[{"text": "a"}, {"text": "b"}]')
    monkeypatch.setattr(reading, "MAX_BYTES", 3)
    with pytest.raises(BadFile, match="larger than"):
        read_tasks(b"[   ]")


@pytest.mark.parametrize("junk", ["[],", '"ab",', '{"a":1},', "[[[]]],"])
def test_a_task_of_too_many_values_is_refused_before_it_is_read(junk: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(splitting, "MAX_VALUES", 100)
    few, many = (f'{{"data": {{"text": "a"}}, "more": [{junk * n}0]}}' for n in (20, 200))
    read_tasks(f"[{few}, {few}, {few}]".encode())
    monkeypatch.setattr(reading, "parse_json", None)
    with pytest.raises(BadFile, match="Task 1 has more than 100 values"):
        read_tasks(f"[{many}]".encode())


def test_a_file_is_cut_as_json_reads_it() -> None:
    odd = ['a "quoted" [bracket', "back\\slash\\", '\\"', "}{][", "日本語 😀", "a,b", ""]
    values = [{"text": text, text: [text, {"deep": [1, None, True]}]} for text in odd]
    for file in (json.dumps(values), json.dumps(values, indent=2), json.dumps(values, ensure_ascii=False)):
        assert [json.loads(piece) for piece in split_tasks(file.encode())] == values
    assert list(split_tasks(b' [ 7 , "a,]" , null,[ ]\n] ')) == [b"7", b'"a,]"', b"null", b"[ ]"]


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
