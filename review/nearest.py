"""What was decided of outputs like an item's: of its cluster, found by an index alone.

A probe of a golden item is in no cluster; it shows what its original would, so that nothing tells it from other items.
"""

from __future__ import annotations

import datetime as dt
import uuid
from dataclasses import dataclass

from django.db.models import Exists, OuterRef, Subquery
from django.utils import timezone

from review.models import Decision, GoldenItem, ReviewItem
from review.models.items import ItemState
from webapp.ids import public_id

SHOWN = 3
#: How many are looked at, the newest first, to find some that people read: the others follow a precedent.
LOOKED_AT = 12


@dataclass(frozen=True, slots=True)
class DecidedCase:
    """A decided near-duplicate. `followed`: nobody read it."""

    public_id: str
    outcome: str
    at: dt.datetime | None
    followed: bool


def nearest_decided(item: ReviewItem) -> list[DecidedCase]:
    """Return the newest decided near-duplicates of an item in its queue, those that people read before others.

    What a golden item was made of is left out, and what can still be taken back.
    """
    cluster = _cluster_of(item)
    if cluster is None:
        return []
    now = timezone.now()
    decision = Decision.objects.standing().filter(item=OuterRef("pk"), cycle=OuterRef("cycle"))
    rows = (
        ReviewItem.objects.filter(cluster=cluster, queue=item.queue_id, state=ItemState.DECIDED, decided_at__lte=now)
        .exclude(checked=item.checked_id)
        .exclude(Exists(GoldenItem.objects.filter(source=OuterRef("pk"), retired_at=None)))
        .annotate(outcome=Subquery(decision.values("outcome")), precedent=Subquery(decision.values("precedent")))
        .order_by("-decided_at")
        .values_list("id", "outcome", "decided_at", "precedent")[:LOOKED_AT]
    )
    cases = [DecidedCase(public_id("rvw", key), outcome, at, bool(followed)) for key, outcome, at, followed in rows]
    return sorted(cases, key=lambda case: case.followed)[:SHOWN]


def _cluster_of(item: ReviewItem) -> uuid.UUID | None:
    if item.golden_id is None:
        return item.cluster
    return ReviewItem.objects.values_list("cluster", flat=True).get(golden_of=item.golden_id)
