"""Random steps of leads, and of those who send outputs and contest what was decided."""

from __future__ import annotations

import datetime as dt

from django.utils import timezone
from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule

from policies.services import add_policy_version
from review.models import Annotation, Assignment, Exclusion, ReviewItem
from review.models.annotations import Outcome
from review.models.items import ItemState, SlotRole, SlotState
from review.rest import due_rest
from review.services import (
    AppealRequest,
    Judgement,
    assign,
    claim_qa,
    make_appeal,
    make_golden,
    reopen,
    submit_qa,
    sweep_assigned,
    take_back,
)
from review.services.assigning import holder_of
from tests.factories import POLICY, make_check
from tests.review.steps import PICK, SAID, Steps
from tests.review.working import queue_of
from webapp.interception.models import Check
from webapp.interception.signals import check_flagged


class StepsOfLeads(Steps):
    """Outputs come in; leads assign, open again, look again, and change the rules."""

    @rule(verdict=st.sampled_from(["hold", "block", "allow", "redact"]))
    def an_output_is_flagged(self, verdict: str) -> None:
        make_check(self.cast, verdict=verdict, review="held" if verdict == "hold" else "flagged")

    @precondition(lambda self: ReviewItem.objects.exists())
    @rule(which=PICK)
    def a_late_result_flags_again(self, which: int) -> None:
        check = self.item(which).checked
        check_flagged.send(sender=Check, check=check, kind="late", inclusion_prob=1.0)

    @precondition(lambda self: ReviewItem.objects.exists())
    @rule(which=PICK)
    def a_lead_reopens(self, which: int) -> None:
        item = self.item(which)
        self.try_to(lambda: reopen(item=item, membership=self.lead, reason="look again"))

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

    @precondition(lambda self: ReviewItem.objects.exists())
    @rule(which=PICK)
    def somebody_appeals(self, which: int) -> None:
        check = self.item(which).checked
        wanted = AppealRequest(reason="This was no insult.")
        self.try_to(lambda: make_appeal(check=check, application=self.cast.application, wanted=wanted))

    @rule(said=SAID, again=st.booleans())
    def a_lead_looks_at_a_decision_again(self, said: str, again: bool) -> None:
        now = timezone.now()
        held = Assignment.objects.filter(role=SlotRole.QA, lease_owner=self.lead.user, lease_expires_at__gt=now)
        known = [None, *held.filter(state=SlotState.LEASED)]
        slot = claim_qa(membership=self.lead)
        assert slot in known or due_rest(membership=self.lead, now=now) is None, "nothing new while a rest is due"
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

    @rule(paused=st.booleans(), required=st.integers(1, 2), precedents=st.booleans())
    def the_queue_changes(self, paused: bool, required: int, precedents: bool) -> None:
        self.queue = queue_of(self.cast, paused=paused, required_reviews=required, precedents=precedents)
