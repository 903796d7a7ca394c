"""What the random steps of the rules' test have in common: the people, what they hold, and how a step is taken."""

from __future__ import annotations

import random
import uuid
from dataclasses import replace
from typing import Any, ClassVar

from django.db import transaction
from hypothesis import strategies as st
from hypothesis.stateful import initialize

from review.errors import ReviewError
from review.models import Annotation, Assignment, Decision, ReviewItem
from review.models.annotations import Outcome
from review.services import claim_items, create_queue
from review.services.queues import QUEUE_SETTINGS
from tests.factories import Cast, make_check
from tests.review.rules import Rules
from tests.review.working import another, answer, member, queue_of
from webapp.accounts.models import Membership

#: What falls into which sample: drawn anew in each example, and alike when hypothesis plays one again.
DRAWS = random.Random()  # no secret

PICK = st.integers(0, 10**6)
SAID = st.sampled_from([*Outcome, ""])


class Hand:
    """A slot as somebody once got it: with the token and the version of then."""

    def __init__(self, slot: Assignment, who: Membership) -> None:
        self.slot, self.who = slot, who
        assert slot.lease_token is not None
        self.token = slot.lease_token


class Steps(Rules):
    """The people at work. What a step may not do, it is refused without a trace."""

    first_cast: ClassVar[Cast]

    def __init__(self) -> None:
        super().__init__()
        self.cast = replace(self.first_cast)
        self._all = transaction.atomic()
        self._all.__enter__()
        self.queue = queue_of(
            self.cast,
            required_reviews=1,
            max_reviews=3,
            overlap_rate=0.4,
            qa_rate=0.5,
            golden_rate=0.5,
            undo_seconds=600,  # a slow machine must not end it: a step does
        )
        self.other_queue = create_queue(
            project=self.cast.project,
            slug="other",
            settings={name: getattr(self.queue, name) for name in QUEUE_SETTINGS},
            membership=member(self.cast, self.cast.lead),
        )
        self.lead = member(self.cast, self.cast.lead)
        self.people = [*(another(self.cast, f"reviewer-{number}") for number in range(4)), self.lead]
        self.hands: list[Hand] = []
        self.keys: dict[uuid.UUID, tuple[Hand, str, uuid.UUID]] = {}

    def teardown(self) -> None:
        transaction.set_rollback(True)
        self._all.__exit__(None, None, None)

    @initialize(seed=st.integers(0, 2**32), outputs=st.integers(3, 6))
    def people_are_at_work(self, seed: int, outputs: int) -> None:
        DRAWS.seed(seed)
        for _ in range(outputs):
            make_check(self.cast)
        for somebody in self.people[:2]:
            self.take(somebody, k=1)

    def take(self, somebody: Membership, *, k: int) -> list[Assignment]:
        slots = claim_items(queue=self.queue, membership=somebody, k=k)
        self.hands += [Hand(slot, somebody) for slot in slots]
        return slots

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
