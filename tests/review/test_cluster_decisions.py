"""One answer decides an item and the near-duplicates that wait with it."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Any

import pytest
from django.utils import timezone

from policies.services import add_policy_version
from review.errors import InvalidAnswer, TooLate
from review.models import Annotation, Assignment, ClusterDecision, ClusterMember, Decision, LabelSchema, ReviewItem
from review.services import Answer, claim_items, raise_item, undo_decision
from review.services.cluster_decisions import decide_cluster
from review.services.grouping import group_items
from review.spans import MarkedSpan
from review.tasks import sweep_clusters
from tests.factories import POLICY, Cast
from tests.review.test_clusters import LETTER
from tests.review.working import another, claim_one, effects_now, events, member, new_item, queue_of
from webapp.interception.models import Check, Release
from webapp.interception.selectors import answers


def letter(cast: Cast, name: str = "Ann", *, found: tuple[str, ...] = (), harm: bool = False) -> ReviewItem:
    """Raise a letter in which the words `found` are addresses, and which is harassment or not."""
    output = LETTER.format(name=name, number=4711)
    findings: list[dict[str, Any]] = [
        {
            "rule": "pii",
            "detector": "pii",
            "category": "PERSON",
            "score": 1.0,
            "action": "redact",
            "start": output.index(word),
            "end": output.index(word) + len(word),
        }
        for word in found
    ]
    if harm:
        findings.append(
            {"rule": "moderation", "detector": "moderation", "category": "harassment", "score": 0.9, "action": "hold"}
        )
    return new_item(cast, output=output, findings=findings)


def decide(cast: Cast, item: ReviewItem, outcome: str = "block", **answer: Any) -> ClusterDecision:
    """Have the reviewer decide the cluster of `item`, which they hold or claim."""
    group_items()
    who = member(cast, cast.reviewer)
    slot = Assignment.objects.filter(item=item, lease_owner=cast.reviewer).first() or claim_one(cast, who)
    assert slot.item_id == item.id
    assert slot.lease_token is not None
    _, decided = decide_cluster(
        slot=slot,
        membership=who,
        lease_token=slot.lease_token,
        item_version=item.version,
        idempotency_key=answer.pop("key", None) or uuid.uuid4(),
        answer=Answer(outcome=outcome, note=answer.pop("note", "A parcel that is not there."), **answer),
        until=answer.pop("until", timezone.now()),
    )
    assert decided is not None
    return decided


def time_passes(decided: ClusterDecision) -> None:
    effects_now(decided.decision)
    ClusterDecision.objects.filter(pk=decided.pk).update(runs_at=timezone.now() - dt.timedelta(seconds=1))


def why(decided: ClusterDecision) -> dict[ReviewItem, str]:
    return {one.item: one.why for one in decided.members.filter(state="left_out")}


def told(item: ReviewItem) -> str | None:
    [said] = answers([Check.objects.get(pk=item.checked_id)])
    return said.output


def test_the_others_are_decided_when_it_can_not_be_taken_back_any_more(cast: Cast) -> None:
    first, *others = [letter(cast, name) for name in ("Ann", "Bob", "Cy")]
    decided = decide(cast, first)
    assert sweep_clusters() == 0
    assert list(Decision.objects.values_list("item", flat=True)) == [first.id]
    time_passes(decided)
    assert sweep_clusters() == 2
    made = Decision.objects.exclude(item=first)
    assert {(one.method, one.outcome, one.waits_until) for one in made} == {("cluster", "block", None)}
    said = {(one.reviewer, one.outcome, one.rationale) for one in Annotation.objects.all()}
    assert said == {(cast.reviewer, "block", "A parcel that is not there.")}
    for item in others:
        item.refresh_from_db()
        assert (item.state, told(item)) == ("decided", None)
    assert [event["reason_codes"] for event in events("review.decision.recorded")][1:] == [
        [f"cluster:{decided.id}", "method:cluster"]
    ] * 2


def test_all_that_is_answered_is_said_of_each(cast: Cast) -> None:
    definition = {
        "categories": ["harassment", "violence"],
        "rationale_snippets": ["A parcel that is not there."],
        "rubric": [{"name": "harm", "points": 3}],
    }
    schema = LabelSchema.objects.create(project=cast.project, name="scams")
    queue_of(cast, label_schema=schema.versions.create(version=1, definition=definition), reason_for=["block"])
    first, other = letter(cast, harm=True), letter(cast, "Bob", harm=True)
    reviewed: dict[str, Any] = {
        "note": "Seen before.",
        "labels": {"violence": False},
        "rubric": {"harm": 2},
        "reasons": ["pii"],
        "snippets": ["A parcel that is not there."],
    }
    decided = decide(cast, first, **reviewed)
    time_passes(decided)
    sweep_clusters()
    one, two = Annotation.objects.order_by("created_at")
    assert (one.item, two.item) == (first, other)
    for said in (one, two):
        assert (said.labels, said.rubric, said.reasons) == ({"violence": False}, {"harm": 2}, ["pii"])
        assert said.rationale == "A parcel that is not there.\nSeen before."
        assert not said.statement_edited
    assert one.statement == two.statement
    assert one.statement.endswith("A parcel that is not there.")
    decisions = Decision.objects.order_by("created_at")
    assert [(made.statement, made.statement_edited_by) for made in decisions] == [(one.statement, None)] * 2


def test_a_statement_that_was_written_goes_with_each(cast: Cast) -> None:
    first = letter(cast)
    letter(cast, "Bob")
    time_passes(decide(cast, first, note="", reasons=["pii"], statement="Somebody pretends to be a depot."))
    sweep_clusters()
    decisions = Decision.objects.values_list("statement", "statement_edited_by")
    assert list(decisions) == [("Somebody pretends to be a depot.", cast.reviewer.pk)] * 2


def test_running_twice_decides_once(cast: Cast) -> None:
    first = letter(cast)
    letter(cast, "Bob")
    decided = decide(cast, first)
    time_passes(decided)
    assert [sweep_clusters(), sweep_clusters()] == [1, 0]
    assert Decision.objects.count() == 2
    decided.refresh_from_db()
    assert decided.state == "done"


def test_submitting_twice_is_one_decision(cast: Cast) -> None:
    first = letter(cast)
    letter(cast, "Bob")
    key = uuid.uuid4()
    slot = claim_one(cast, member(cast, cast.reviewer))
    assert slot.item_id == first.id
    assert decide(cast, first, key=key) == decide(cast, first, key=key)
    assert ClusterMember.objects.count() == 1


def test_taking_it_back_leaves_everything_as_it_was(cast: Cast) -> None:
    first, other = letter(cast), letter(cast, "Bob")
    decided = decide(cast, first)
    assert claim_items(queue=queue_of(cast), membership=another(cast, "second")) == []
    undo_decision(decision=decided.decision, membership=member(cast, cast.reviewer))
    decided.refresh_from_db()
    time_passes(decided)
    assert sweep_clusters() == 0
    other.refresh_from_db()
    assert (decided.state, other.state, told(other)) == ("undone", "pending", None)
    assert not Decision.objects.standing().exists()
    [slot] = claim_items(queue=queue_of(cast), membership=member(cast, cast.lead))
    assert slot.item_id == other.id
    [event] = events("review.cluster.undone")
    assert event["counts"] == {"given_back": 1}


def test_it_can_not_be_taken_back_once_some_are_decided(cast: Cast) -> None:
    first = letter(cast)
    letter(cast, "Bob")
    decided = decide(cast, first)
    ClusterDecision.objects.filter(pk=decided.pk).update(runs_at=timezone.now())
    sweep_clusters()
    with pytest.raises(TooLate, match="near-duplicates"):
        undo_decision(decision=decided.decision, membership=member(cast, cast.reviewer))
    assert Decision.objects.standing().count() == 2


def test_what_others_hold_is_left_out(cast: Cast) -> None:
    taken = letter(cast, "Bob")
    claim_one(cast, another(cast, "second"))
    first = letter(cast)
    decided = decide(cast, first)
    assert why(decided) == {taken: "held"}
    time_passes(decided)
    assert sweep_clusters() == 0


def test_each_loses_its_own_words(cast: Cast) -> None:
    first, other = letter(cast, "Ann", found=("Ann",)), letter(cast, "Bartholomew", found=("Bartholomew",))
    decided = decide(cast, first, "redact")
    time_passes(decided)
    sweep_clusters()
    assert told(other) == LETTER.format(name="[PERSON]", number=4711)


def test_what_is_dropped_is_dropped_only_where_it_reads_the_same(cast: Cast) -> None:
    first, same = (letter(cast, "Ann", found=("Ann", "Mill")) for _ in range(2))
    other, further = letter(cast, "Bob", found=("Bob", "Mill")), letter(cast, "Cy", found=("Mill",))
    harm = letter(cast, "Di", found=("Di", "Mill"), harm=True)
    ann = first.checked.findings.order_by("start").first()
    assert ann is not None
    decided = decide(cast, first, "redact", findings={ann.id: False})
    assert why(decided) == {other: "place", further: "findings", harm: "findings"}
    time_passes(decided)
    sweep_clusters()
    assert told(same) == LETTER.format(name="Ann", number=4711).replace("Mill", "[PERSON]")


def test_what_is_not_the_same_case_is_left_out(cast: Cast) -> None:
    first, *others = [letter(cast, name) for name in ("Ann", "Bob", "Cy", "Di", "Ed")]
    blind, again, skipped, policy = others
    ReviewItem.objects.filter(pk=blind.pk).update(blind=True)
    ReviewItem.objects.filter(pk=again.pk).update(cycle=2)
    skipped.exclusions.create(reviewer=cast.reviewer, why="skipped")
    version = add_policy_version(project=cast.project, document=POLICY.replace("60000", "50000"))
    Check.objects.filter(pk=policy.checked_id).update(policy_version=version)
    double = letter(cast, "Flo")
    Assignment.objects.create(item=double, slot_no=2, queue=double.queue, sla_due_at=double.sla_due_at)
    decided = decide(cast, first)
    assert why(decided) == {blind: "alone", again: "again", skipped: "excluded", policy: "policy", double: "reviewers"}


def test_what_came_after_the_count_is_not_covered(cast: Cast) -> None:
    first = letter(cast)
    group_items()
    counted = timezone.now()
    letter(cast, "Bob")
    group_items()
    who = member(cast, cast.reviewer)
    slot = claim_one(cast, who)
    assert slot.lease_token is not None
    _, decided = decide_cluster(
        slot=slot,
        membership=who,
        lease_token=slot.lease_token,
        item_version=first.version,
        idempotency_key=uuid.uuid4(),
        answer=Answer(outcome="block", note="Scam"),
        until=counted,
    )
    assert decided is not None
    assert not decided.members.exists()


def test_what_changed_meanwhile_waits_again(cast: Cast) -> None:
    first, other = letter(cast), letter(cast, "Bob")
    decided = decide(cast, first)
    raise_item(check=other.checked, kind="late")
    time_passes(decided)
    assert sweep_clusters() == 0
    assert why(decided) == {other: "changed"}
    [slot] = claim_items(queue=queue_of(cast), membership=member(cast, cast.lead))
    assert slot.item_id == other.id


@pytest.mark.parametrize(
    "answer",
    [{"outcome": "replace"}, {"outcome": ""}, {"note": ""}, {"spans": [MarkedSpan(0, 4, "PERSON", None)]}],
)
def test_an_answer_for_many_is_refused_without_trace(cast: Cast, answer: dict[str, Any]) -> None:
    first = letter(cast)
    letter(cast, "Bob")
    with pytest.raises(InvalidAnswer):
        decide(cast, first, **answer)
    assert not Annotation.objects.exists()
    assert not Release.objects.exists()


def test_where_more_than_one_answers_nobody_decides_for_many(cast: Cast) -> None:
    queue_of(cast, required_reviews=2)
    first = letter(cast)
    letter(cast, "Bob")
    with pytest.raises(InvalidAnswer, match="alone does not decide"):
        decide(cast, first)
    assert not Annotation.objects.exists()
