"""The rules of review hold whatever people do, in any order: random steps against the real database.

`COUNTERSIGN_STEPS=20 pytest tests/review/test_rules_stateful.py` runs twenty times as many examples, from a new seed.
"""

from __future__ import annotations

import datetime as dt
import os
import uuid
from dataclasses import replace
from typing import Any, ClassVar

import pytest
from django.db import transaction
from django.utils import timezone
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule, run_state_machine_as_test

from policies.services import add_policy_version
from review.errors import ReviewError
from review.models import Annotation, Assignment, Decision, Exclusion, ReviewItem
from review.models.annotations import Outcome
from review.models.items import ItemState, SlotRole, SlotState
from review.services import (
    AppealRequest,
    Judgement,
    assign,
    claim_items,
    claim_qa,
    escalate,
    heartbeat,
    hold,
    make_appeal,
    make_golden,
    release_slot,
    reopen,
    resume,
    skip,
    submit_qa,
    sweep_assigned,
    sweep_effects,
    sweep_holds,
    sweep_leases,
    take_back,
    undo_decision,
)
from review.services.assigning import holder_of
from review.services.claims import ADJUDICATORS, LIVE_STATES
from tests.factories import POLICY, Cast, make_check
from tests.review.rules import Rules
from tests.review.working import another, answer, effects_now, member, queue_of, run_out
from webapp.accounts.models import Membership
from webapp.interception.models import Check
from webapp.interception.signals import check_flagged

MORE = int(os.environ.get("COUNTERSIGN_STEPS", "0"))
PICK = st.integers(0, 10**6)
SAID = st.sampled_from([*Outcome, ""])


class Hand:
    """A slot as somebody once got it: with the token and the version of then."""

    def __init__(self, slot: Assignment, who: Membership) -> None:
        self.slot, self.who = slot, who
        assert slot.lease_token is not None
        self.token = slot.lease_token


class Review(Rules):
    """Steps of reviewers, leads, applications and time. What a step may not do, it is refused without a trace."""

    first_cast: ClassVar[Cast]

    def __init__(self) -> None:
        super().__init__()
        self.cast = replace(self.first_cast)
        self._all = transaction.atomic()
        self._all.__enter__()
        self.queue = queue_of(
            self.cast, required_reviews=1, max_reviews=3, overlap_rate=0.4, qa_rate=0.5, golden_rate=0.5
        )
        self.lead = member(self.cast, self.cast.lead)
        self.people = [*(another(self.cast, f"reviewer-{number}") for number in range(4)), self.lead]
        self.hands: list[Hand] = []
        self.keys: dict[uuid.UUID, tuple[Hand, str, uuid.UUID]] = {}

    def teardown(self) -> None:
        transaction.set_rollback(True)
        self._all.__exit__(None, None, None)

    # Steps

    @rule(verdict=st.sampled_from(["hold", "block", "allow", "redact"]))
    def an_output_is_flagged(self, verdict: str) -> None:
        make_check(self.cast, verdict=verdict, review="held" if verdict == "hold" else "flagged")

    @precondition(lambda self: ReviewItem.objects.exists())
    @rule(which=PICK)
    def a_late_result_flags_again(self, which: int) -> None:
        check = self.item(which).checked
        check_flagged.send(sender=Check, check=check, kind="late", inclusion_prob=1.0)

    @rule(who=PICK, k=st.integers(1, 3))
    def claim(self, who: int, k: int) -> None:
        somebody = self.people[who % len(self.people)]
        slots = claim_items(queue=self.queue, membership=somebody, k=k)
        assert len(slots) <= k
        for slot in slots:
            assert (slot.lease_owner_id, slot.state) == (somebody.user_id, SlotState.LEASED)
            assert not Exclusion.objects.filter(item=slot.item_id, reviewer=somebody.user).exists()
            assert slot.role != SlotRole.ADJUDICATOR or somebody.role in ADJUDICATORS
            assert slot.assignee_id in (None, somebody.user_id)
            self.hands.append(Hand(slot, somebody))

    @precondition(lambda self: self.hands)
    @rule(which=PICK, swept=st.booleans())
    def a_lease_runs_out(self, which: int, swept: bool) -> None:
        run_out(self.hand(which).slot)
        if swept:
            sweep_leases()

    @precondition(lambda self: self.hands)
    @rule(which=PICK)
    def a_browser_says_that_it_lives(self, which: int) -> None:
        hand = self.hand(which)
        self.try_to(lambda: heartbeat(slot=hand.slot, user=hand.who.user, lease_token=hand.token))

    @precondition(lambda self: self.hands)
    @rule(which=PICK)
    def give_back(self, which: int) -> None:
        hand = self.hand(which)
        release_slot(slot=hand.slot, user=hand.who.user, lease_token=hand.token)

    @precondition(lambda self: self.hands)
    @rule(which=PICK)
    def skip(self, which: int) -> None:
        hand = self.hand(which)
        if self.try_to(lambda: skip(slot=hand.slot, membership=hand.who, lease_token=hand.token, reason="unclear")):
            item = ReviewItem.objects.get(pk=hand.slot.item_id)
            skippers = item.exclusions.filter(why="skipped").count()
            assert skippers < 3 or item.state in (ItemState.ESCALATED, ItemState.ADJUDICATION)

    @precondition(lambda self: self.hands)
    @rule(which=PICK)
    def escalate(self, which: int) -> None:
        hand = self.hand(which)
        self.try_to(lambda: escalate(slot=hand.slot, membership=hand.who, lease_token=hand.token, note="Hm."))

    @precondition(lambda self: self.hands)
    @rule(which=PICK, said=SAID, current=st.booleans())
    def submit(self, which: int, said: str, current: bool) -> None:
        hand = self.hand(which)
        key = uuid.uuid4()
        before = Annotation.objects.count()
        slot = Assignment.objects.get(pk=hand.slot.pk)
        taken = slot.state in LIVE_STATES and slot.lease_owner_id != hand.who.user_id
        kept = self.try_to(lambda: self.send(hand, said, key, current=current))
        assert Annotation.objects.count() == before + kept
        if kept:
            stored = Annotation.objects.get(idempotency_key=key)
            assert not (taken and stored.counts)
            self.keys[key] = (hand, said, stored.id)

    @precondition(lambda self: self.keys)
    @rule(which=PICK)
    def submit_once_more(self, which: int) -> None:
        key = sorted(self.keys)[which % len(self.keys)]
        hand, said, stored = self.keys[key]
        before = Annotation.objects.count(), Decision.objects.count()
        assert self.send(hand, said, key, current=True).annotation.id == stored
        assert (Annotation.objects.count(), Decision.objects.count()) == before

    @precondition(lambda self: Decision.objects.exists())
    @rule(which=PICK)
    def take_back(self, which: int) -> None:
        decision = self.decision(which)
        who = next(one for one in self.people if one.user_id == decision.decided_by_id)
        if self.try_to(lambda: undo_decision(decision=decision, membership=who)):
            slot = Assignment.objects.filter(
                item=decision.item_id, lease_owner=who.user, state=SlotState.LEASED
            ).first()
            if slot is not None:
                self.hands.append(Hand(slot, who))

    @precondition(lambda self: Decision.objects.exists())
    @rule(which=PICK)
    def the_time_to_take_back_ends(self, which: int) -> None:
        decision = self.decision(which)
        if decision.undone_at is None and decision.waits_until is not None:
            effects_now(decision)
            sweep_effects()

    @precondition(lambda self: ReviewItem.objects.exists())
    @rule(which=PICK)
    def a_lead_reopens(self, which: int) -> None:
        item = self.item(which)
        self.try_to(lambda: reopen(item=item, membership=self.lead, reason="look again"))

    @precondition(lambda self: self.hands)
    @rule(which=PICK)
    def hold(self, which: int) -> None:
        hand = self.hand(which)
        self.try_to(lambda: hold(slot=hand.slot, membership=hand.who, lease_token=hand.token))

    @precondition(lambda self: self.hands)
    @rule(which=PICK)
    def go_on_with_what_was_held(self, which: int) -> None:
        hand = self.hand(which)
        if self.try_to(lambda: resume(slot=hand.slot, membership=hand.who)):
            self.hands.append(Hand(Assignment.objects.select_related("item").get(pk=hand.slot.pk), hand.who))

    @precondition(lambda self: self.hands)
    @rule(which=PICK, who=PICK, looked=st.booleans())
    def a_lead_assigns(self, which: int, who: int, looked: bool) -> None:
        slot = Assignment.objects.get(pk=self.hand(which).slot.pk)
        somebody = self.people[who % len(self.people)]
        seen = holder_of(slot) if looked else None
        if self.try_to(lambda: assign(slot=slot, assignee=somebody, membership=self.lead, seen=seen)):
            assert not Exclusion.objects.filter(item=slot.item_id, reviewer=somebody.user).exists()

    @precondition(lambda self: self.hands)
    @rule(which=PICK)
    def a_lead_takes_back(self, which: int) -> None:
        slot = Assignment.objects.get(pk=self.hand(which).slot.pk)
        self.try_to(lambda: take_back(slot=slot, membership=self.lead, seen=holder_of(slot)))

    @rule()
    def assigned_slots_run_out(self) -> None:
        kept = Assignment.objects.filter(state=SlotState.OPEN, assignee__isnull=False)
        kept.update(held_until=timezone.now() - dt.timedelta(seconds=1))
        sweep_assigned()
        assert not kept.exists()

    @rule()
    def holds_run_out(self) -> None:
        Assignment.objects.filter(state=SlotState.HELD).update(held_until=timezone.now() - dt.timedelta(seconds=1))
        sweep_holds()
        assert not Assignment.objects.filter(state=SlotState.HELD).exists()

    @precondition(lambda self: ReviewItem.objects.exists())
    @rule(which=PICK)
    def somebody_appeals(self, which: int) -> None:
        check = self.item(which).checked
        wanted = AppealRequest(reason="This was no insult.")
        self.try_to(lambda: make_appeal(check=check, application=self.cast.application, wanted=wanted))

    @rule(said=SAID, again=st.booleans())
    def a_lead_looks_at_a_decision_again(self, said: str, again: bool) -> None:
        slot = claim_qa(membership=self.lead)
        if slot is None:
            return
        assert not Annotation.objects.filter(item=slot.item_id, reviewer=self.lead.user).exists()
        assert slot.lease_token is not None
        token = slot.lease_token
        judgement = Judgement(outcome=said, severity="major", note="It was wrong.", again=again)
        self.try_to(lambda: submit_qa(slot=slot, membership=self.lead, lease_token=token, judgement=judgement))

    @precondition(lambda self: ReviewItem.objects.filter(state=ItemState.DECIDED).exists())
    @rule(which=PICK)
    def a_lead_makes_a_golden_item(self, which: int) -> None:
        item = self.item(which)
        self.try_to(
            lambda: make_golden(item=item, membership=self.lead, outcome=Outcome.BLOCK, labels={}, spans=[], note="")
        )

    @rule(threshold=st.integers(50, 94))
    def the_policy_changes(self, threshold: int) -> None:
        document = POLICY.replace("0.8", f"0.{threshold}")
        self.cast.policy_version = add_policy_version(project=self.cast.project, document=document)

    @rule(paused=st.booleans(), required=st.integers(1, 2))
    def the_queue_changes(self, paused: bool, required: int) -> None:
        self.queue = queue_of(self.cast, paused=paused, required_reviews=required)

    # Helpers

    def hand(self, which: int) -> Hand:
        return self.hands[which % len(self.hands)]

    def item(self, which: int) -> ReviewItem:
        items = ReviewItem.objects.select_related("checked").order_by("created_at", "id")
        return items[which % items.count()]

    def decision(self, which: int) -> Decision:
        decisions = Decision.objects.order_by("created_at", "id")
        return decisions[which % decisions.count()]

    def try_to(self, step: Any) -> bool:
        """Take a step, and return whether it was allowed; a refusal changes no answer and no decision."""
        before = Annotation.objects.count(), Decision.objects.standing().count()
        try:
            step()
        except ReviewError:
            assert (Annotation.objects.count(), Decision.objects.standing().count()) == before
            return False
        return True

    @staticmethod
    def send(hand: Hand, said: str, key: uuid.UUID, *, current: bool) -> Any:
        fields: dict[str, Any] = {"correction": "Ask the desk."} if said == Outcome.REPLACE else {}
        version = ReviewItem.objects.get(pk=hand.slot.item_id).version if current else None
        return answer(hand.slot, hand.who, said, key=key, version=version, **fields)


@pytest.mark.timeout(600)
def test_the_rules_hold_whatever_people_do(cast: Cast) -> None:
    Review.first_cast = cast
    run_state_machine_as_test(
        Review,
        settings=settings(
            max_examples=20 * max(1, MORE),
            stateful_step_count=40,
            deadline=None,
            derandomize=not MORE,
            database=None,
            phases=[Phase.generate, Phase.shrink],
            suppress_health_check=list(HealthCheck),
        ),
    )
