"""What holds after every step of review, as invariants of a state machine that hypothesis drives."""

from __future__ import annotations

import uuid
from collections import Counter

from django.db.models import Count, F, Q
from hypothesis.stateful import RuleBasedStateMachine, invariant

from review.models import Annotation, Appeal, Assignment, ClusterMember, Decision, ReviewItem
from review.models.annotations import Outcome
from review.models.clusters import ClusterState, MemberState
from review.models.decisions import Method
from review.models.items import OPEN_STATES, ItemState, SlotRole, SlotState
from review.services.claims import LIVE_STATES
from tests.review.working import events
from webapp.interception.models import Check
from webapp.interception.selectors import answers as told

WAITING = (SlotState.OPEN, SlotState.LEASED, SlotState.HELD, SlotState.RESERVED)
DECIDES = {
    Method.ADJUDICATED: SlotRole.ADJUDICATOR,
    Method.APPEAL: SlotRole.APPEAL,
    Method.QA: SlotRole.QA,
}


class Rules(RuleBasedStateMachine):
    """The rules, whoever did what."""

    @invariant()
    def nobody_has_two_slots_of_an_item(self) -> None:
        live = Assignment.objects.filter(state__in=LIVE_STATES).values("item", "lease_owner")
        assert not live.annotate(n=Count("id")).filter(n__gt=1).exists()

    @invariant()
    def a_check_waits_once_in_a_queue(self) -> None:
        waiting = ReviewItem.objects.real().filter(state__in=OPEN_STATES).values("checked", "queue")
        assert not waiting.annotate(n=Count("id")).filter(n__gt=1).exists()

    @invariant()
    def what_waits_can_be_taken(self) -> None:
        for item in ReviewItem.objects.filter(state__in=OPEN_STATES).prefetch_related("assignments"):
            waiting = [slot for slot in item.assignments.all() if slot.state in WAITING]
            assert waiting, f"nobody can work on {item.state}"
            with_leads = item.state in (ItemState.ESCALATED, ItemState.ADJUDICATION)
            assert not with_leads or any(slot.role == SlotRole.ADJUDICATOR for slot in waiting)

    @invariant()
    def what_is_decided_waits_for_nobody(self) -> None:
        decided = ReviewItem.objects.filter(state=ItemState.DECIDED)
        waiting = Assignment.objects.filter(item__in=decided, state__in=WAITING)
        assert not waiting.exclude(role=SlotRole.QA).exists()

    @invariant()
    def a_decided_item_has_one_decision_of_its_cycle(self) -> None:
        standing = Count("decisions", Q(decisions__cycle=F("cycle"), decisions__undone_at=None))
        wrong = ReviewItem.objects.annotate(n=standing).exclude(state=ItemState.DECIDED, n=1)
        assert not wrong.exclude(~Q(state=ItemState.DECIDED), n=0).exists()

    @invariant()
    def a_decision_is_what_the_answers_say(self) -> None:
        for decision in Decision.objects.standing().filter(item__golden=None).select_related("item__queue"):
            counting = Annotation.objects.filter(item=decision.item, cycle=decision.cycle, counts=True)
            said = [(one.outcome, one.assignment.role) for one in counting.select_related("assignment")]
            votes = Counter(outcome for outcome, _ in said)
            assert votes[decision.outcome] >= 1
            if decision.method in (Method.SINGLE, Method.CLUSTER):
                assert len(said) == 1
            elif decision.method == Method.CONSENSUS:
                assert votes[decision.outcome] / len(said) >= decision.item.queue.consensus_threshold
                rivals = [n for outcome, n in votes.items() if outcome and outcome != decision.outcome]
                assert votes[decision.outcome] > max(rivals, default=0)
            else:
                assert (decision.outcome, DECIDES[Method(decision.method)]) in said

    @invariant()
    def what_is_reserved_waits_for_a_decision_that_can_be_taken_back(self) -> None:
        waiting = ClusterMember.objects.filter(state=MemberState.RESERVED, cluster__state=ClusterState.WAITING)
        wanted = set(waiting.values_list("cluster", "item"))
        reserved = Assignment.objects.filter(state=SlotState.RESERVED)
        assert set(reserved.values_list("lease_token", "item")) <= wanted

    @invariant()
    def what_follows_a_precedent_is_decided_like_it(self) -> None:
        for decision in Decision.objects.filter(precedent__isnull=False).select_related("item", "precedent__item"):
            precedent = decision.precedent
            assert precedent is not None
            assert precedent.undone_at is None
            assert (decision.method, decision.cycle) == (Method.CLUSTER, 1)
            assert (decision.outcome, decision.decided_by_id) == (precedent.outcome, precedent.decided_by_id)
            assert decision.policy_version_id == precedent.policy_version_id
            assert (decision.item.golden_id, decision.item.blind, decision.item.overlap) == (None, False, False)

    @invariant()
    def nobody_judges_an_appeal_against_themselves(self) -> None:
        for appeal in Appeal.objects.select_related("item"):
            earlier = appeal.item.annotations.filter(cycle__lt=appeal.cycle, counts=True)
            now = appeal.item.annotations.filter(cycle=appeal.cycle, counts=True)
            assert not set(earlier.values_list("reviewer", flat=True)) & set(now.values_list("reviewer", flat=True))

    @invariant()
    def nobody_counts_twice_in_a_cycle(self) -> None:
        counting = Annotation.objects.filter(counts=True).values("item", "cycle", "reviewer")
        assert not counting.annotate(n=Count("id")).filter(n__gt=1).exists()

    @invariant()
    def nothing_goes_out_before_its_time(self) -> None:
        checks = list(Check.objects.filter(verdict__in=("hold", "block")))
        for check, one in zip(checks, told(checks), strict=True):
            standing = Decision.objects.standing().filter(item__checked=check, item__golden=None)
            if not standing.exclude(outcome=Outcome.BLOCK).exists():
                assert one.output is None, "a text went out that nobody released"

    @invariant()
    def the_log_has_every_answer_and_decision(self) -> None:
        recorded = {event["cause"][1].removeprefix("decision:") for event in events("review.decision.recorded")}
        made = Decision.objects.filter(item__golden=None)
        assert recorded >= {str(decision) for decision in made.values_list("id", flat=True)}
        submitted = {event["cause"][0].removeprefix("annotation:") for event in events("review.annotation.submitted")}
        given = Annotation.objects.exclude(assignment__role=SlotRole.QA)  # those are in the log as reviews
        # Nobody gave these: they follow an answer that is in the log, by a decision that is.
        decided = ClusterMember.objects.filter(state=MemberState.DECIDED).values_list("cluster", "item")
        following = [uuid.uuid5(cluster, str(item)) for cluster, item in decided]
        given = given.filter(precedent=None).exclude(idempotency_key__in=following)
        assert submitted == {str(one) for one in given.values_list("id", flat=True)}
