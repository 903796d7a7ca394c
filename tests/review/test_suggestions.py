"""Answers of Label Studio: kept once, shown to who decides, taken over by nobody but them."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.test import Client

from review.label_studio import answers
from review.label_studio.importing import DECIDED, Report, import_tasks
from review.label_studio.reading import read_tasks
from review.models import Annotation, Assignment, Queue, ReviewItem, Suggestion
from review.models.annotations import Assistance
from tests.factories import Cast
from tests.review.working import answer, claim_one, events, member, new_item, queue_of

CORRECTED = "You can reach us at the desk.\nAsk for <b>Ann</b>."


def choice(control: str, *names: object) -> dict[str, Any]:
    return {"from_name": control, "to_name": "text", "type": "choices", "value": {"choices": list(names)}}


def written(control: str, *texts: object) -> dict[str, Any]:
    return {"from_name": control, "to_name": "text", "type": "textarea", "value": {"text": list(texts)}}


@pytest.fixture
def item(cast: Cast) -> ReviewItem:
    return new_item(cast)


def bring(cast: Cast, item: ReviewItem, *annotations: list[dict[str, Any]], **task: Any) -> Report:
    """Bring an item back from there with what each of several people said."""
    output = item.checked.content.output
    data = {"text": output, "countersign_check": item.checked.public_id}
    said = [{"result": results, "was_cancelled": False} for results in annotations]
    given = read_tasks(json.dumps([{"data": data, "annotations": said, **task}]).encode())
    return import_tasks(given, application=cast.application, queue=Queue.objects.get(slug="default"))


def page_of(cast: Cast, item: ReviewItem, query: str = "") -> str:
    client = Client()
    client.force_login(cast.reviewer)
    answered = client.get(f"/p/acme/review/items/{item.public_id}/{query}")
    assert answered.status_code == 200
    return answered.content.decode()


def test_answers_are_kept_once_and_counted(cast: Cast, item: ReviewItem) -> None:
    first = [choice("verdict", "Violates"), choice("outcome", "replace"), written("correction", *CORRECTED.split("\n"))]
    second = [choice("verdict", "violates"), written("note", "An insult.")]

    report = bring(cast, item, first, second, second)

    assert (report.answers, report.labels, dict(report.left_out)) == (2, 0, {})
    kept = Suggestion.objects.order_by("created_at", "id").values_list("verdict", "outcome", "correction", "note")
    assert set(kept) == {("violates", "replace", CORRECTED, ""), ("violates", "", "", "An insult.")}
    (event,) = events("review.item.labelled")
    assert event["counts"] == {"labels": 0, "answers": 2}
    assert CORRECTED not in json.dumps(event)
    version = ReviewItem.objects.get().version
    assert bring(cast, item, first, second).answers == 0
    assert ReviewItem.objects.get().version == version == item.version + 1


@pytest.mark.parametrize(
    ("result", "reason"),
    [
        (choice("verdict", "awful"), answers.UNKNOWN_ANSWER),
        (choice("outcome", "release", "block"), answers.UNKNOWN_ANSWER),
        (choice("outcome", 3), answers.UNKNOWN_ANSWER),
        ({"from_name": "verdict", "type": "choices", "value": 3}, answers.UNKNOWN_ANSWER),
        (written("essay", "a secret"), answers.OTHER_WRITTEN),
        (written("note", "x" * 10_001), answers.TOO_LONG),
        (written("correction", {"a": 1}), answers.TOO_LONG),
    ],
)
def test_what_can_not_be_an_answer_is_counted(
    cast: Cast, item: ReviewItem, result: dict[str, Any], reason: str
) -> None:
    report = bring(cast, item, [result])

    assert dict(report.left_out) == {(1, reason): 1}
    assert not Suggestion.objects.exists()


def test_an_output_left_as_it_was_is_no_correction(cast: Cast, item: ReviewItem) -> None:
    bring(cast, item, [written("correction", item.checked.content.output or "")])

    assert not Suggestion.objects.exists()


def test_more_answers_than_help_are_left_out(cast: Cast, item: ReviewItem) -> None:
    report = bring(cast, item, *[[written("note", str(number))] for number in range(22)])

    assert Suggestion.objects.count() == 20
    assert dict(report.left_out) == {(1, answers.TOO_MANY_ANSWERS): 2}


def test_a_decided_item_takes_no_answer(cast: Cast, item: ReviewItem) -> None:
    queue_of(cast, undo_seconds=0)
    reviewer = member(cast, cast.reviewer)
    answer(claim_one(cast, reviewer), reviewer, "block")

    assert dict(bring(cast, item, [choice("verdict", "fine")]).left_out) == {(1, DECIDED): 1}


def test_the_reviewer_sees_them_and_takes_one_over_without_scripts(cast: Cast, item: ReviewItem) -> None:
    bring(cast, item, [written("correction", CORRECTED), written("note", "Too rude.")])
    kept = Suggestion.objects.get()
    claim_one(cast, member(cast, cast.reviewer))

    shown = page_of(cast, item)
    assert "&lt;b&gt;Ann&lt;/b&gt;" in shown
    assert f"?take={kept.id}" in shown
    assert 'value="replace" data-sentence="" checked' not in shown.replace("\n", "")
    taken = page_of(cast, item, f"?take={kept.id}")
    assert f">\n{CORRECTED.replace('<', '&lt;').replace('>', '&gt;')}</textarea>" in taken
    assert "Too rude.</textarea>" in taken
    for wrong in ("?take=", "?take=x", f"?take={item.id}"):
        assert "Too rude.</textarea>" not in page_of(cast, item, wrong)


def test_an_answer_with_one_of_them_was_not_given_blind(cast: Cast, item: ReviewItem) -> None:
    bring(cast, item, [choice("outcome", "block")])
    reviewer = member(cast, cast.reviewer)
    slot = Assignment.objects.select_related("item").get(pk=claim_one(cast, reviewer).pk)

    answer(slot, reviewer, "block")

    assert Annotation.objects.get().assistance == Assistance.SHOWN


def test_who_answers_blind_sees_none(cast: Cast, item: ReviewItem) -> None:
    bring(cast, item, [written("note", "Too rude.")])
    ReviewItem.objects.update(blind=True)
    claim_one(cast, member(cast, cast.reviewer))

    for query in ("", f"?take={Suggestion.objects.get().id}"):
        assert "Too rude." not in page_of(cast, item, query)


def test_a_verdict_of_a_model_is_taken_where_nobody_annotated(cast: Cast, item: ReviewItem) -> None:
    # Predictions of a task that was exported from here are known: this one was not.
    task = {"data": {"text": "x"}, "predictions": [{"model_version": "m-1", "result": [choice("verdict", "fine")]}]}
    (given,) = read_tasks(json.dumps([task]).encode())

    assert [(said.verdict, said.model) for said in given.labels.said] == [("fine", "m-1")]
