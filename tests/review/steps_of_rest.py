"""Random steps that make reviewers rest, for a while or for the day, and that end it."""

from __future__ import annotations

import datetime as dt

from django.utils import timezone
from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule

from review.models import Assignment, Break, ExposureEntry, ReviewItem
from review.models.items import SlotRole, SlotState
from review.rest import due_rest
from review.services import show
from tests.review.steps import PICK, Steps
from webapp.accounts.models import Membership

A_DAY_S_WORK = 24 * 3600.0


class StepsOfRest(Steps):
    """Items come on screen, people get tired. Who rests keeps what is on screen, and gets nothing else."""

    @precondition(lambda self: self.hands)
    @rule(which=PICK)
    def an_item_comes_on_screen(self, which: int) -> None:
        hand = self.hand(which)
        self.try_to(lambda: show(slot=hand.slot, user=hand.who.user, lease_token=hand.token))

    @precondition(lambda self: ReviewItem.objects.exists())
    @rule(who=PICK, which=PICK, severe=st.booleans())
    def somebody_worked_for_long(self, who: int, which: int, severe: bool) -> None:
        """Their break begins when they answer next; of severe texts it was as much as there may be in a day."""
        seconds = A_DAY_S_WORK if severe else 0.0
        item = self.item(which)
        ExposureEntry.objects.create(
            project=self.cast.project,
            reviewer=self.somebody(who).user,
            item=item,
            severity=item.severity,
            active_seconds=A_DAY_S_WORK,
            seen_seconds=seconds,
            weighted_seconds=seconds,
        )

    @rule(who=PICK)
    def a_break_begins(self, who: int) -> None:
        now = timezone.now()
        ends_at = now + dt.timedelta(hours=1)
        Break.objects.create(reviewer=self.somebody(who).user, started_at=now, ends_at=ends_at)

    @rule()
    def everybody_had_their_rest(self) -> None:
        Break.objects.update(ends_at=timezone.now())
        ExposureEntry.objects.all().delete()

    def take(self, somebody: Membership, *, k: int) -> list[Assignment]:
        resting = due_rest(membership=somebody, now=timezone.now()) is not None
        before = self.on_screen(somebody)
        slots = super().take(somebody, k=k)
        assert self.on_screen(somebody) == before, "what is on screen stays theirs"
        if resting:
            assert {(slot.id, slot.lease_token) for slot in slots} <= before, "nothing new while a rest is due"
            waiting = Assignment.objects.filter(lease_owner=somebody.user, state=SlotState.LEASED, shown_at=None)
            assert not waiting.exclude(role=SlotRole.QA).exists(), "what waits unseen goes to others"
        return slots

    def somebody(self, who: int) -> Membership:
        return self.people[who % len(self.people)]

    @staticmethod
    def on_screen(somebody: Membership) -> set[tuple[object, object]]:
        live = Assignment.objects.filter(
            lease_owner=somebody.user,
            state=SlotState.LEASED,
            shown_at__isnull=False,
            lease_expires_at__gt=timezone.now(),
        )
        return set(live.values_list("id", "lease_token"))
