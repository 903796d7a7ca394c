"""Random steps of reviewers, and of the time that they have."""

from __future__ import annotations

import datetime as dt
import uuid

from django.utils import timezone
from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule

from review.models import Annotation, Assignment, Decision, Exclusion, ReviewItem
from review.models.items import ItemState, SlotRole, SlotState
from review.services import (
    escalate,
    heartbeat,
    hold,
    release_slot,
    resume,
    skip,
    sweep_effects,
    sweep_holds,
    sweep_leases,
    undo_decision,
)
from review.services.claims import ADJUDICATORS, LIVE_STATES
from tests.review.steps import PICK, SAID, Hand, Steps
from tests.review.working import effects_now, run_out


class StepsOfReviewers(Steps):
    """Claim, answer, pass on, hold, take back."""

    @rule(who=PICK, k=st.integers(1, 3))
    def claim(self, who: int, k: int) -> None:
        somebody = self.people[who % len(self.people)]
        slots = self.take(somebody, k=k)
        assert len(slots) <= k
        for slot in slots:
            assert (slot.lease_owner_id, slot.state) == (somebody.user_id, SlotState.LEASED)
            assert not Exclusion.objects.filter(item=slot.item_id, reviewer=somebody.user).exists()
            assert slot.role != SlotRole.ADJUDICATOR or somebody.role in ADJUDICATORS
            assert slot.assignee_id in (None, somebody.user_id)

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

    @rule()
    def holds_run_out(self) -> None:
        Assignment.objects.filter(state=SlotState.HELD).update(held_until=timezone.now() - dt.timedelta(seconds=1))
        sweep_holds()
        assert not Assignment.objects.filter(state=SlotState.HELD).exists()
