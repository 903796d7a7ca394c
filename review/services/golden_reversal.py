"""Retire golden items by themselves when what people decided of their check is reversed."""

from __future__ import annotations

from collections.abc import Iterable

from django.utils import timezone

from review.models import Decision, GoldenItem, ReviewerPause, ReviewItem
from review.models.golden import RetiredBecause
from review.services.probes import mean_score, take_away
from webapp.accounts.services import SYSTEM
from webapp.audit.log import EventObject, record_event


def retire_reversed(item: ReviewItem, decision: Decision) -> None:
    """Retire the golden items made of a check that a locked item's new decision, which holds now, contradicts.

    Their results count towards no mark any more; whoever was paused only because of them goes on.
    """
    made_before = GoldenItem.objects.filter(
        source__checked=item.checked_id, retired_at=None, created_at__lt=decision.created_at
    )
    reversed_ones = list(made_before.exclude(outcome=decision.outcome).select_related("queue"))
    for golden in reversed_ones:
        _retire(golden, decision)
    _lift_pauses(reversed_ones)


def _retire(golden: GoldenItem, decision: Decision) -> None:
    if not take_away(golden, because=RetiredBecause.REVERSED):
        return
    record_event(
        type="review.golden.retired",
        project_id=golden.project_id,
        actor=SYSTEM,
        object=EventObject("golden_item", golden.id),
        reason_codes=["cause:reversed"],
        cause=[f"item:{golden.source_id}", f"decision:{decision.id}"],
    )


def _lift_pauses(reversed_ones: Iterable[GoldenItem]) -> None:
    for golden in reversed_ones:
        judged = golden.results.values("reviewer")
        for pause in ReviewerPause.objects.filter(queue=golden.queue, lifted_at=None, reviewer__in=judged):
            mean = mean_score(golden.queue, pause.reviewer_id)
            if mean is not None and mean < golden.queue.golden_pass_mark:
                continue
            if not ReviewerPause.objects.filter(id=pause.id, lifted_at=None).update(lifted_at=timezone.now()):
                continue
            record_event(
                type="review.reviewer.resumed",
                project_id=golden.project_id,
                actor=SYSTEM,
                object=EventObject("user", pause.reviewer_id),
                reason_codes=["cause:golden_reversed"],
                cause=[f"queue:{golden.queue_id}"],
            )
