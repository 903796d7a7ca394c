"""Places that reviewers move, rename and find, from the form to what goes out."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from hypothesis import given
from hypothesis import strategies as st

from review.characters import cuts_character
from review.errors import InvalidAnswer
from review.models import Assignment, ReviewItem
from review.numbers import finding_ids
from review.segments import chunks
from review.services import undo_decision
from review.spans import MarkedSpan, read_spans
from tests.factories import Cast
from tests.review.working import another, answer, claim_one, member, new_item, queue_of
from webapp.interception.models import Finding, Release

OUTPUT = "😀 Ann Lima wrote: ann@example.com, +49 30 1234567."
FLAG = "🇩🇪"


def place(category: str, text: str, *, output: str = OUTPUT, action: str = "redact") -> dict[str, Any]:
    start = output.index(text)
    found = {"rule": "pii", "detector": "pii", "score": 1.0, "action": action, "category": category}
    return found | {"start": start, "end": start + len(text)}


def span(text: str, label: str, finding: int | None = None, *, output: str = OUTPUT) -> MarkedSpan:
    start = output.index(text)
    return MarkedSpan(start, start + len(text), label, finding)


def person(cast: Cast) -> Finding:
    """Return the finding "Ann", of an item that waits."""
    item = new_item(cast, output=OUTPUT, findings=[place("PERSON", "Ann", action="mask")])
    return item.checked.findings.get()


def test_moved_renamed_and_found_places_are_stored_with_where_they_come_from(cast: Cast) -> None:
    findings = [place("PERSON", "Ann"), place("URL", "example.com"), place("PHONE_NUMBER", "+49"), place("AGE", "30")]
    item = new_item(cast, output=OUTPUT, findings=findings)
    ann, url, phone, age = item.checked.findings.order_by("id")
    reviewer = member(cast, cast.reviewer)
    spans = [
        span("Ann Lima", "PERSON", ann.id),
        span("ann@example.com", "EMAIL_ADDRESS", url.id),
        span("+49", "PHONE_NUMBER", phone.id),  # as it was
        span("1234567", "PHONE_NUMBER"),
    ]
    stored = answer(claim_one(cast, reviewer), reviewer, "redact", spans=spans, findings={age.id: False}).annotation
    rows = {(row.change, row.label, OUTPUT[row.start : row.end], row.finding_id) for row in stored.spans.all()}
    assert rows == {
        ("resized", "PERSON", "Ann Lima", ann.id),
        ("retyped", "EMAIL_ADDRESS", "ann@example.com", url.id),
        ("kept", "PHONE_NUMBER", "+49", phone.id),
        ("added", "PHONE_NUMBER", "1234567", None),
        ("removed", "AGE", "30", age.id),
    }
    kept = dict(stored.finding_verdicts.values_list("finding_id", "kept"))
    assert kept == {ann.id: True, url.id: False, phone.id: True, age.id: False}
    out = Release.objects.get().output
    assert out == "😀 [PERSON] wrote: [EMAIL_ADDRESS], [PHONE_NUMBER] 30 [PHONE_NUMBER]."


def test_a_moved_place_is_taken_out_as_the_policy_says_of_the_finding(cast: Cast) -> None:
    ann = person(cast)
    reviewer = member(cast, cast.reviewer)
    answer(claim_one(cast, reviewer), reviewer, "redact", spans=[span("Ann Lima", "PERSON", ann.id)])
    assert (Release.objects.get().output or "").startswith("😀 *** **** wrote")


def test_an_output_without_findings_is_redacted_where_the_reviewer_marked_it(cast: Cast) -> None:
    new_item(cast, output=OUTPUT, findings=[])
    reviewer = member(cast, cast.reviewer)
    answer(claim_one(cast, reviewer), reviewer, "redact", spans=[span("Lima", "PERSON")])
    assert (Release.objects.get().output or "").startswith("😀 Ann [PERSON] wrote")


def test_a_marked_category_is_a_label(cast: Cast) -> None:
    new_item(cast, output=OUTPUT, findings=[])
    reviewer = member(cast, cast.reviewer)
    done = answer(claim_one(cast, reviewer), reviewer, "block", spans=[span("wrote", "harassment")])
    assert done.annotation.labels == {"harassment": True}


def test_of_reviewers_who_agree_everything_that_any_of_them_marked_is_taken_out(cast: Cast) -> None:
    queue_of(cast, required_reviews=2)
    ann = person(cast)
    first, second = member(cast, cast.reviewer), another(cast, "second")
    answer(claim_one(cast, first), first, "redact", spans=[span("Ann Lima", "PERSON", ann.id)])
    answer(claim_one(cast, second), second, "redact", spans=[span("30", "DATE_TIME")])
    assert Release.objects.get().output == "😀 *** **** wrote: ann@example.com, +49 [DATE_TIME] 1234567."


@pytest.mark.parametrize(
    ("start", "end", "label", "fields"),
    [
        (5, 5, "PERSON", {}),
        (6, 5, "PERSON", {}),
        (-1, 3, "PERSON", {}),
        (0, len(OUTPUT) + 1, "PERSON", {}),
        (2, 5, "", {}),
        (2, 5, "<b>", {}),
        (2, 5, "PERSON", {"finding": 0}),
    ],
)
def test_a_place_that_does_not_fit_is_refused(
    cast: Cast, start: int, end: int, label: str, fields: dict[str, int]
) -> None:
    person(cast)
    reviewer = member(cast, cast.reviewer)
    slot = claim_one(cast, reviewer)
    with pytest.raises(InvalidAnswer):
        answer(slot, reviewer, "redact", spans=[MarkedSpan(start, end, label, **fields)])
    assert Assignment.objects.get(pk=slot.pk).state == "leased"


def test_a_finding_is_not_dropped_and_moved_at_once_nor_moved_to_two_places(cast: Cast) -> None:
    ann = person(cast)
    reviewer = member(cast, cast.reviewer)
    slot = claim_one(cast, reviewer)
    moved = span("Ann Lima", "PERSON", ann.id)
    with pytest.raises(InvalidAnswer, match="dropped and moved"):
        answer(slot, reviewer, "redact", spans=[moved], findings={ann.id: False})
    with pytest.raises(InvalidAnswer, match="one place only"):
        answer(slot, reviewer, "redact", spans=[moved, span("Lima", "PERSON", ann.id)])


@pytest.mark.parametrize(
    ("text", "at"),
    [
        ("e\u0301x", 1),
        ("👍🏽", 1),
        ("👩\u200d💻", 1),
        ("👩\u200d💻", 2),
        ("👩🏽\u200d💻", 3),
        (FLAG, 1),
        (FLAG * 2, 3),
        ("a\r\nb", 2),
        ("☝\ufe0f", 1),
    ],
)
def test_no_place_begins_or_ends_inside_a_character(cast: Cast, text: str, at: int) -> None:
    assert cuts_character(text, at)
    new_item(cast, output=text + " tail", findings=[])
    reviewer = member(cast, cast.reviewer)
    with pytest.raises(InvalidAnswer, match="inside a character"):
        answer(claim_one(cast, reviewer), reviewer, "block", spans=[MarkedSpan(at, len(text) + 1, "PERSON")])


@pytest.mark.parametrize(
    ("text", "at"), [("ab", 1), (FLAG * 2, 2), ("a\u200db", 2), ("\n\u0301", 1), ("x", 0), ("x", 1)]
)
def test_what_lies_between_characters_is_free(text: str, at: int) -> None:
    assert not cuts_character(text, at)


@pytest.mark.parametrize("text", ["{", "{}", "[1]", "[" * 100_000, '[{"start": 1.0, "end": 2}]', '[{"start": true}]'])
def test_a_form_whose_spans_are_no_spans_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"span|number|deep|Expecting|JSON|delimiter"):
        read_spans(text, {})


@given(st.text(alphabet=st.sampled_from("ab \n\u0301\r"), max_size=30), st.integers(0, 400))
def test_chunks_join_to_the_text(part: str, times: int) -> None:
    text = part * times
    found = Finding(id=1, category="X", detector="pii", start=5, end=3000, target="output")
    pieces = chunks(text, [found], numbers={1: 1})
    assert "".join(piece.text for chunk in pieces for piece in chunk) == text
    assert all(chunk for chunk in pieces) or not text


def test_marks_come_back_with_a_decision_that_is_taken_back(cast: Cast, client: Client) -> None:
    ann = person(cast)
    reviewer = member(cast, cast.reviewer)
    spans = [span("Ann Lima", "PERSON", ann.id), span("30", "DATE_TIME")]
    done = answer(claim_one(cast, reviewer), reviewer, "redact", spans=spans)
    assert done.decision is not None
    undo_decision(decision=done.decision, membership=reviewer)
    client.force_login(cast.reviewer)
    page = client.get(_url(cast, "item", done.decision.item)).context["page"]
    assert (read_spans(page.spans_json, finding_ids(done.decision.item.checked)), page.draft.findings) == (spans, {})
    assert page.redacted == "😀 *** **** wrote: ann@example.com, +49 [DATE_TIME] 1234567."


def test_the_preview_follows_what_is_marked_and_refuses_what_does_not_fit(cast: Cast, client: Client) -> None:
    person(cast)
    slot = claim_one(cast, member(cast, cast.reviewer))
    client.force_login(cast.reviewer)
    url = _url(cast, "redacted", slot.item)
    moved = [{"start": 2, "end": 10, "label": "PERSON", "finding": 1}]
    assert client.post(url, {"spans": json.dumps(moved)}).text.startswith("😀 *** **** wrote")
    outside = [{"start": 2, "end": 1000, "label": "PERSON", "finding": 1}]
    assert client.post(url, {"spans": json.dumps(outside)}).status_code == 422


def test_a_refused_form_is_shown_again_with_its_marks(cast: Cast, client: Client) -> None:
    person(cast)
    slot = claim_one(cast, member(cast, cast.reviewer))
    client.force_login(cast.reviewer)
    form = {"token": str(slot.lease_token), "version": "1", "submission": str(slot.id), "outcome": "redact"}
    outside = json.dumps([{"start": 2, "end": 1000, "label": "PERSON"}])
    response = client.post(reverse("review:submit", args=[cast.project.slug, slot.id]), {**form, "spans": outside})
    assert response.status_code == 422
    assert "outside the output" in response.text
    assert response.context["page"].draft.spans == [MarkedSpan(2, 1000, "PERSON")]


def _url(cast: Cast, name: str, item: ReviewItem) -> str:
    return reverse(f"review:{name}", args=[cast.project.slug, item.public_id])
