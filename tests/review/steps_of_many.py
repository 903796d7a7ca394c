"""Random steps that touch many items at once: near-duplicates decided together, later ones, bulk actions."""

from __future__ import annotations

import datetime as dt
import uuid

from django.utils import timezone
from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule

from review.models import ClusterDecision, ReviewItem
from review.models.bulk import BulkAction, BulkKind
from review.models.clusters import ClusterState
from review.models.items import OPEN_STATES
from review.services import Answer
from review.services.bulk import start_bulk, sweep_bulk, undo_bulk
from review.services.cluster_decisions import OUTCOMES, decide_cluster, sweep_clusters
from review.services.grouping import group_items
from tests.review.steps import PICK, Steps
from tests.review.working import effects_now


class StepsOfMany(Steps):
    """All outputs of these steps are the same text, so they are near-duplicates once they are grouped."""

    @rule()
    def items_are_grouped(self) -> None:
        group_items()

    @precondition(lambda self: self.hands)
    @rule(which=PICK, outcome=st.sampled_from(OUTCOMES), grouped=st.booleans())
    def decide_near_duplicates_at_once(self, which: int, outcome: str, grouped: bool) -> None:
        hand = self.hand(which)
        if grouped:
            group_items()
        version = ReviewItem.objects.get(pk=hand.slot.item_id).version
        self.try_to(
            lambda: decide_cluster(
                slot=hand.slot,
                membership=hand.who,
                lease_token=hand.token,
                item_version=version,
                idempotency_key=uuid.uuid4(),
                answer=Answer(outcome=outcome, note="Seen before."),
                until=timezone.now(),
            )
        )

    @precondition(lambda self: ClusterDecision.objects.filter(state=ClusterState.WAITING).exists())
    @rule(which=PICK)
    def the_time_to_take_many_back_ends(self, which: int) -> None:
        waiting = ClusterDecision.objects.filter(state=ClusterState.WAITING).order_by("id")
        cluster = waiting[which % waiting.count()]
        effects_now(cluster.decision)
        ClusterDecision.objects.filter(pk=cluster.pk).update(runs_at=timezone.now() - dt.timedelta(seconds=1))
        sweep_clusters()
        cluster.refresh_from_db()
        assert cluster.state == ClusterState.DONE

    @precondition(lambda self: ReviewItem.objects.real().filter(state__in=OPEN_STATES).exists())
    @rule(kind=st.sampled_from(BulkKind), which=PICK, swept=st.booleans())
    def a_lead_changes_many(self, kind: BulkKind, which: int, swept: bool) -> None:
        value = {
            BulkKind.MOVE: str([self.queue.id, self.other_queue.id][which % 2]),
            BulkKind.SEVERITY: str(which % 5),
            BulkKind.PRIORITY: ["first", "last"][which % 2],
            BulkKind.ASSIGN: str(self.people[which % len(self.people)].user_id),
            BulkKind.CANCEL: "",
        }[kind]
        start_bulk(
            membership=self.lead,
            kind=kind,
            value=value,
            reason="Tidy up.",
            filters={},
            query="",
            until=timezone.now(),
            counted=10**6,
        )
        if swept:
            sweep_bulk()

    @precondition(lambda self: BulkAction.objects.exists())
    @rule(which=PICK, undone=st.booleans())
    def what_changes_many_goes_on_or_is_undone(self, which: int, undone: bool) -> None:
        actions = BulkAction.objects.order_by("created_at", "id")
        if undone:
            undo_bulk(action=actions[which % actions.count()], membership=self.lead)
        sweep_bulk()
