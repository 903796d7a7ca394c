from __future__ import annotations

import uuid
from typing import Any

import pytest
from django.utils import timezone

from review.models import Decision, ReviewItem
from review.signals import decision_recorded
from tests.factories import Cast
from tests.review.working import answer, claim_one, events, member, new_item, queue_of
from webapp.interception.models import ReleaseOutcome
from webapp.interception.releases import record_release
from webapp.interception.selectors import answers

OUTPUT = "You can reach Ann at ann@example.com, idiot."


@pytest.mark.parametrize(
    ("outcome", "correction", "released", "text"),
    [
        ("release", None, "released", OUTPUT),
        ("redact", None, "redacted", "You can reach Ann at [EMAIL_ADDRESS], idiot."),
        ("replace", "Ask at the desk.", "replaced", "Ask at the desk."),
        ("block", None, "blocked", None),
    ],
)
def test_a_decision_changes_what_goes_out(
    cast: Cast, outcome: str, correction: str | None, released: str, text: str | None
) -> None:
    item = new_item(cast)
    reviewer = member(cast, cast.reviewer)
    answer(claim_one(cast, reviewer), reviewer, outcome, correction=correction)
    release = item.checked.releases.get()
    assert (release.outcome, release.output, release.decided_by) == (released, text, "reviewer")
    assert release.decision_id == Decision.objects.get().id


def test_what_the_machine_redacted_can_be_released_as_it_was(cast: Cast) -> None:
    item = new_item(cast, verdict="redact", review="flagged")
    reviewer = member(cast, cast.reviewer)
    answer(claim_one(cast, reviewer), reviewer, "release")
    assert item.checked.releases.get().output == OUTPUT


def test_a_check_without_output_can_be_released_or_blocked(cast: Cast) -> None:
    queue_of(cast, undo_seconds=0)
    item = new_item(cast, findings=[])
    item.checked.content.output = None
    item.checked.content.save()
    reviewer = member(cast, cast.reviewer)
    answer(claim_one(cast, reviewer), reviewer, "release")
    assert item.checked.releases.get().output is None
    [shown] = answers([item.checked])
    assert (shown.verdict, shown.output) == ("allow", None)


def test_a_check_with_output_is_not_released_without_it(cast: Cast) -> None:
    item = new_item(cast)
    facts: dict[str, Any] = {"decision_id": uuid.uuid4(), "decided_by": "reviewer", "decided_at": timezone.now()}
    with pytest.raises(ValueError, match="release no text"):
        record_release(check=item.checked, outcome=ReleaseOutcome.RELEASED, output=None, **facts)
    with pytest.raises(ValueError, match="release no text"):
        record_release(check=item.checked, outcome=ReleaseOutcome.BLOCKED, output="x", **facts)


@pytest.mark.parametrize(
    ("verdict", "outcome", "override"),
    [("hold", "block", False), ("block", "release", True), ("allow", "release", False), ("redact", "block", True)],
)
def test_the_audit_event_says_what_was_decided_against_what_the_machine_said(
    cast: Cast, verdict: str, outcome: str, override: bool
) -> None:
    new_item(cast, verdict=verdict)
    reviewer = member(cast, cast.reviewer)
    answer(claim_one(cast, reviewer), reviewer, outcome)
    [event] = events("review.decision.recorded")
    assert event["outcome"] == {"decision": outcome, "prev": verdict, "override": override, "automated": False}
    assert event["actor"] == {"kind": "user", "ref": str(cast.reviewer.id), "role": "reviewer", "auth": "session"}
    assert event["policy"]["sha256"] == cast.policy_version.sha256


def test_rooms_above_hear_of_a_decision(cast: Cast) -> None:
    heard: list[tuple[Decision, ReviewItem]] = []

    def listen(sender: object, *, decision: Decision, item: ReviewItem, **_: Any) -> None:
        heard.append((decision, item))

    decision_recorded.connect(listen)
    try:
        queue_of(cast, undo_seconds=0)
        item = new_item(cast)
        reviewer = member(cast, cast.reviewer)
        done = answer(claim_one(cast, reviewer), reviewer)
    finally:
        decision_recorded.disconnect(listen)
    assert heard == [(done.decision, item)]
