"""The near-duplicates of an item that wait in its queue."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from dataclasses import dataclass

from django.db.models import Exists, OuterRef, Prefetch, Q, QuerySet
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from review.clusters.fitting import shape_of
from review.models import Appeal, Assignment, Exclusion, ItemTrigger, ReviewItem
from review.models.items import ItemState, SlotRole, SlotState
from review.services.raising import SAMPLED
from webapp.accounts.models import User

#: What one decision covers at most; the others stay where they are.
MOST = 1000
#: How far the item's page counts.
COUNTED = 1000

LEFT_OUT: dict[str, str | Promise] = {
    "held": _("somebody else has it now"),
    "reviewers": _("more than one reviewer answers it, or did already"),
    "alone": _("it is a sample that is answered by itself"),
    "again": _("it was opened again, or appealed against"),
    "policy": _("it was checked under another version of the policy"),
    "findings": _("something else was found in it"),
    "place": _("a place that you dropped reads differently in it"),
    "excluded": _("you skipped it, or may not take it"),
    "changed": _("it changed meanwhile"),
    "many": _("one decision covers a thousand at most"),
}


@dataclass(frozen=True, slots=True)
class Member:
    """A waiting near-duplicate: with the slot that a decision would take, or why none is taken (of LEFT_OUT)."""

    item: ReviewItem
    slot: Assignment | None = None
    left_out: str = ""


def waiting_like(item: ReviewItem) -> QuerySet[ReviewItem]:
    """Return the near-duplicates of `item` that wait for reviewers in its queue, the oldest first."""
    waiting = ReviewItem.objects.filter(
        project=item.project_id,
        queue=item.queue_id,
        cluster=item.cluster,
        cluster__isnull=False,
        state__in=(ItemState.PENDING, ItemState.IN_REVIEW, ItemState.REOPENED),
    )
    return waiting.exclude(id=item.id).order_by("id")


def count_waiting_like(item: ReviewItem) -> int:
    """Return how many there are; counting stops at COUNTED."""
    return waiting_like(item).order_by()[:COUNTED].count() if item.cluster else 0


def members_of(item: ReviewItem, *, user: User, until: dt.datetime | None = None) -> list[Member]:
    """Return what waits of the cluster of `item`, of which its findings are prefetched, in a fixed number of queries.

    `until` leaves out what joined the cluster later: a decision covers what was counted before it.
    """
    waiting = waiting_like(item) if until is None else waiting_like(item).filter(clustered_at__lte=until)
    found: list[Member] = []
    taken = 0
    for row in judge(waiting[: MOST + COUNTED], item, user=user):
        late = row.slot is not None and taken == MOST
        found.append(Member(row.item, left_out="many") if late else row)
        taken += found[-1].slot is not None
    return found


def judge(rows: QuerySet[ReviewItem], item: ReviewItem, *, user: User) -> list[Member]:
    """Return which of the near-duplicates `rows` an answer of `user` to `item`, with its findings, may decide too."""
    now = timezone.now()
    slots = Prefetch("assignments", Assignment.objects.exclude(state=SlotState.VOID))
    own = Prefetch("exclusions", Exclusion.objects.filter(reviewer=user), to_attr="own_exclusions")
    appeals = Appeal.objects.filter(item=OuterRef("pk"), outcome="")
    samples = ItemTrigger.objects.filter(Q(kind=SAMPLED) | Q(inclusion_prob__lt=1), item=OuterRef("pk"))
    rows = rows.annotate(appealed=Exists(appeals), sampled=Exists(samples)).select_related("checked")
    rows = rows.prefetch_related("checked__findings", slots, own)
    shape = shape_of(item.checked, item.checked.findings.all())
    found: list[Member] = []
    for row in rows:
        row.queue = item.queue
        slot, why = _slot_of(row, user, now)
        if not why and row.checked.policy_version_id != item.checked.policy_version_id:
            why = "policy"
        if not why and shape_of(row.checked, row.checked.findings.all()) != shape:
            why = "findings"
        found.append(Member(row, None if why else slot, why))
    return found


def _slot_of(item: ReviewItem, user: User, now: dt.datetime) -> tuple[Assignment | None, str]:
    slots = list(item.assignments.all())
    # Of a random sample a person reads each, or nobody could tell from it what is missed.
    if item.blind or item.sampled:  # type: ignore[attr-defined]  # annotated
        return None, "alone"
    if item.cycle > 1 or item.state == ItemState.REOPENED or item.appealed:  # type: ignore[attr-defined]  # annotated
        return None, "again"
    if len(slots) != 1 or slots[0].role != SlotRole.PRIMARY or slots[0].state == SlotState.SUBMITTED:
        return None, "reviewers"
    if item.own_exclusions or slots[0].assignee_id not in (None, user.id):  # type: ignore[attr-defined]  # prefetched
        return None, "excluded"
    [slot] = slots
    leased = slot.state == SlotState.LEASED and slot.lease_expires_at is not None and slot.lease_expires_at > now
    if slot.state in (SlotState.HELD, SlotState.RESERVED) or (leased and slot.lease_owner_id != user.id):
        return None, "held"
    return slot, ""


def tally(members: list[Member]) -> dict[str, int]:
    """Return how many are left out, by why."""
    return dict(Counter(member.left_out for member in members if member.left_out))
