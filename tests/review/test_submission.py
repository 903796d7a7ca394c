from __future__ import annotations

import uuid

import pytest
from pytest_django import DjangoAssertNumQueries

from review.errors import InvalidAnswer, ItemChanged, SlotLost
from review.models import Annotation, Assignment, Decision
from review.services import raise_item, submission, sweep_leases
from review.services.submission import DECIDED, RETAKEN
from tests.factories import Cast
from tests.review.working import another, answer, claim_one, events, member, new_item, queue_of, run_out


def test_an_answer_counts_and_decides(cast: Cast) -> None:
    item = new_item(cast)
    reviewer = member(cast, cast.reviewer)
    done = answer(claim_one(cast, reviewer), reviewer, "block", note="Insult.", labels={"harassment": True})
    assert done.message == ""
    assert done.decision is not None
    assert (done.decision.outcome, done.decision.method) == ("block", "single")
    assert (done.annotation.verdict, done.annotation.labels) == ("violates", {"harassment": True})
    item.refresh_from_db()
    assert item.state == "decided"
    [event] = events("review.annotation.submitted")
    assert event["outcome"]["decision"] == "block"
    assert "Insult" not in str(event)


def test_an_answer_that_decides_takes_few_statements(
    cast: Cast, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    new_item(cast)
    reviewer = member(cast, cast.reviewer)
    slot = claim_one(cast, reviewer)
    with django_assert_max_num_queries(36):  # of them eight make and release savepoints
        answer(slot, reviewer, "block", labels={"harassment": True})


def test_the_same_submission_twice_is_stored_once(cast: Cast) -> None:
    new_item(cast)
    reviewer = member(cast, cast.reviewer)
    slot, key = claim_one(cast, reviewer), uuid.uuid4()
    first = answer(slot, reviewer, key=key)
    again = answer(slot, reviewer, "block", key=key)
    assert again == first
    assert Annotation.objects.count() == 1


def test_a_submission_number_of_somebody_else_is_refused(cast: Cast) -> None:
    for _ in range(2):
        new_item(cast)
    reviewer, second, key = member(cast, cast.reviewer), another(cast, "second"), uuid.uuid4()
    answer(claim_one(cast, reviewer), reviewer, key=key)
    with pytest.raises(InvalidAnswer):
        answer(claim_one(cast, second), second, key=key)


@pytest.mark.parametrize("swept", [True, False])
def test_a_late_answer_counts_while_nobody_took_the_slot(cast: Cast, swept: bool) -> None:
    new_item(cast)
    reviewer = member(cast, cast.reviewer)
    slot = claim_one(cast, reviewer)
    run_out(slot)
    if swept:
        sweep_leases()
    assert answer(slot, reviewer).decision is not None


def test_an_answer_to_a_retaken_slot_is_kept_without_counting(cast: Cast) -> None:
    item = new_item(cast)
    reviewer, second = member(cast, cast.reviewer), another(cast, "second")
    slot = claim_one(cast, reviewer)
    run_out(slot)
    retaken = claim_one(cast, second)
    late = answer(slot, reviewer, "block", note="kept")
    assert (late.message, late.decision, late.annotation.counts) == (RETAKEN, None, False)
    assert Annotation.objects.get().rationale == "kept"
    done = answer(retaken, second)
    assert done.decision is not None
    assert item.decisions.get().outcome == "release"


def test_an_answer_after_the_decision_is_kept_without_counting(cast: Cast) -> None:
    new_item(cast)
    reviewer, second = member(cast, cast.reviewer), another(cast, "second")
    slot = claim_one(cast, reviewer)
    run_out(slot)
    answer(claim_one(cast, second), second)
    late = answer(slot, reviewer, "block")
    assert (late.message, late.annotation.counts) == (DECIDED, False)
    assert Decision.objects.get().outcome == "release"


def test_of_answers_that_do_not_count_the_first_ones_are_kept(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(submission, "KEPT_EACH", 2)
    new_item(cast)
    reviewer, second, third = member(cast, cast.reviewer), another(cast, "second"), another(cast, "third")
    slot, last = claim_one(cast, reviewer), uuid.uuid4()
    run_out(slot)
    taken = claim_one(cast, second)
    answer(slot, reviewer, "block", note="one")
    answer(slot, reviewer, "block", note="two", key=last)
    with pytest.raises(SlotLost, match="2 answers to this item that do not count"):
        answer(slot, reviewer, "block", note="three")
    assert set(Annotation.objects.values_list("rationale", flat=True)) == {"one", "two"}
    assert answer(slot, reviewer, key=last).message == RETAKEN, "the same one again is no other one"
    run_out(taken)
    assert answer(claim_one(cast, third), third).decision is not None
    assert answer(taken, second).message == DECIDED, "others have room of their own"


def test_a_lease_taken_again_by_the_same_person_accepts_the_older_tab(cast: Cast) -> None:
    new_item(cast)
    reviewer = member(cast, cast.reviewer)
    old = claim_one(cast, reviewer)
    run_out(old)
    new = claim_one(cast, reviewer)
    assert new.lease_token != old.lease_token
    assert answer(old, reviewer).annotation.counts
    assert not answer(new, reviewer).annotation.counts


def test_an_item_that_changed_meanwhile_must_be_seen_again(cast: Cast) -> None:
    item = new_item(cast)
    reviewer = member(cast, cast.reviewer)
    slot = claim_one(cast, reviewer)
    raise_item(check=item.checked, kind="late")
    with pytest.raises(ItemChanged):
        answer(slot, reviewer)
    assert not Annotation.objects.exists()
    assert answer(slot, reviewer, version=2).decision is not None


def test_a_reviewer_can_not_answer_for_an_adjudicator(cast: Cast) -> None:
    new_item(cast)
    reviewer = member(cast, cast.reviewer)
    slot = claim_one(cast, reviewer)
    Assignment.objects.filter(pk=slot.pk).update(role="adjudicator")
    with pytest.raises(SlotLost):
        answer(slot, reviewer)


@pytest.mark.parametrize(
    ("outcome", "fields"),
    [
        ("explode", {}),
        ("release", {"labels": {"no such category": True}}),
        ("release", {"findings": {0: True}}),
        ("release", {"note": "x" * 10_001}),
        ("release", {"note": "\x00"}),
        ("replace", {}),
        ("replace", {"correction": "You can reach Ann at ann@example.com, idiot."}),
        ("replace", {"correction": "x" * (1024 * 1024 + 1)}),
    ],
)
def test_an_answer_that_does_not_fit_is_refused_and_stores_nothing(
    cast: Cast, outcome: str, fields: dict[str, object]
) -> None:
    new_item(cast)
    reviewer = member(cast, cast.reviewer)
    slot = claim_one(cast, reviewer)
    with pytest.raises(InvalidAnswer):
        answer(slot, reviewer, outcome, **fields)
    assert not Annotation.objects.exists()
    assert Assignment.objects.get(pk=slot.pk).state == "leased"


def test_redacting_nothing_is_refused(cast: Cast) -> None:
    item = new_item(cast)
    reviewer = member(cast, cast.reviewer)
    slot = claim_one(cast, reviewer)
    email = item.checked.findings.get(category="EMAIL_ADDRESS")
    with pytest.raises(InvalidAnswer, match="nothing to redact"):
        answer(slot, reviewer, "redact", findings={email.id: False})


def test_kept_and_dropped_findings_become_verdicts_spans_and_labels(cast: Cast) -> None:
    item = new_item(cast)
    reviewer = member(cast, cast.reviewer)
    email, insult = (item.checked.findings.get(category=name) for name in ("EMAIL_ADDRESS", "harassment"))
    done = answer(claim_one(cast, reviewer), reviewer, "redact", findings={insult.id: False})
    verdicts = {verdict.finding_id: verdict.kept for verdict in done.annotation.finding_verdicts.all()}
    assert verdicts == {insult.id: False, email.id: True}, "what is redacted without a word was found rightly"
    [span] = done.annotation.spans.all()
    assert (span.change, span.label, span.start, span.end) == ("kept", "EMAIL_ADDRESS", 21, 36)
    assert done.annotation.labels == {"harassment": False}


def test_a_released_output_leaves_unjudged_findings_unjudged(cast: Cast) -> None:
    new_item(cast)
    reviewer = member(cast, cast.reviewer)
    done = answer(claim_one(cast, reviewer), reviewer)
    assert not done.annotation.finding_verdicts.exists()
    assert done.annotation.labels == {}


def test_an_edit_becomes_a_correction_and_a_preference_pair(cast: Cast) -> None:
    queue_of(cast)
    new_item(cast, output="Line one, idiot.\r\nLine two.", findings=[])
    reviewer = member(cast, cast.reviewer)
    done = answer(claim_one(cast, reviewer), reviewer, "replace", correction="Line one.\r\nLine two.")
    assert done.annotation.correction.text == "Line one.\r\nLine two."
    pair = done.annotation.pairs.get()
    assert (pair.chosen, pair.rejected) == ("Line one.\r\nLine two.", "Line one, idiot.\r\nLine two.")
