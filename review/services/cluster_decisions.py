"""Decide an item and the near-duplicates that wait with it by one answer.

The others are reserved at once and decided when the answer can not be taken back any more, by a sweep: so taking it
back only has to let them go. Locks: reviewer, item, slot; then, of the sweep, the cluster decision and each item in the
order of ids.
"""

from __future__ import annotations

import datetime as dt
import uuid
from dataclasses import replace

from django.db import transaction
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext as _

from review.clusters.fitting import carried_over
from review.clusters.members import Member, members_of
from review.errors import InvalidAnswer, ReviewError
from review.models import Annotation, Assignment, ClusterDecision, ClusterMember, ReviewItem
from review.models.annotations import Outcome
from review.models.clusters import ClusterState, MemberState
from review.models.decisions import Method
from review.models.items import ItemState, SlotState
from review.selectors import get_items
from review.services.appeal_outcomes import pending_appeal
from review.services.following import decide_like
from review.services.precedents import follow_late
from review.services.submission import Answer, Submitted, submit_annotation
from review.services.sweeping import sweep_each
from webapp.accounts.models import Membership
from webapp.accounts.services import user_actor
from webapp.audit.log import EventObject, record_event
from webapp.interception.models import CheckContent

#: An edited text fits one output only.
OUTCOMES = (Outcome.RELEASE, Outcome.REDACT, Outcome.BLOCK)
#: Items that are locked together.
CHUNK = 25
#: Texts that are read together.
TEXTS = 50
_OPEN = (ItemState.PENDING, ItemState.IN_REVIEW)


def why_alone(item: ReviewItem) -> str:
    """Return why an answer to this item decides it alone; "" when it may decide near-duplicates with it."""
    required = item.queue.required_reviews
    if required > 1:
        # It would count as an answer of its own for each: nobody else could take it back as a whole, and agreement
        # would be measured on outputs that nobody read.
        return _(
            "In this queue %(number)s people read each output, and none sees what the others say. One answer for all "
            "would count as if you had read them all, so these are answered one by one."
        ) % {"number": required}
    if item.overlap or item.blind or item.golden_id is not None:
        return _("This item is part of a sample, and answered by itself.")
    if item.cycle > 1:
        return _("This item was opened again, or appealed against: it is decided by itself.")
    return ""


@transaction.atomic
def decide_cluster(
    *,
    slot: Assignment,
    membership: Membership,
    lease_token: uuid.UUID,
    item_version: int,
    idempotency_key: uuid.UUID,
    answer: Answer,
    until: dt.datetime,
) -> tuple[Submitted, ClusterDecision | None]:
    """Submit an answer and reserve the near-duplicates that waited at `until` for the same decision.

    The same key again returns what was stored. Without a cluster decision the answer did not count, and its message
    says why. Raises InvalidAnswer without a reason and when the answer alone does not decide the item, and what
    submitting raises; nothing is stored then.
    """
    if answer.outcome not in OUTCOMES:
        raise InvalidAnswer(_("Choose release, redact or block: other answers are for one output."))
    if not (answer.reasons or answer.snippets or answer.note):
        raise InvalidAnswer(_("Give a reason: it goes with every one of these decisions."))
    if answer.spans:
        raise InvalidAnswer(_("Places that you marked are in one output only: decide this item by itself."))
    submitted = submit_annotation(
        slot=slot,
        membership=membership,
        lease_token=lease_token,
        item_version=item_version,
        idempotency_key=idempotency_key,
        answer=answer,
    )
    stored = ClusterDecision.objects.filter(annotation=submitted.annotation).first()
    if stored or submitted.message:
        return submitted, stored
    item = get_items(ids=[slot.item_id])[slot.item_id]
    decision = submitted.decision
    if decision is None or decision.method != Method.SINGLE or why_alone(item):
        raise InvalidAnswer(_("Your answer alone does not decide this item, so it decides no others."))
    cluster = ClusterDecision.objects.create(
        queue=item.queue,
        item=item,
        annotation=submitted.annotation,
        decision=decision,
        decided_by=membership.user,
        role=membership.role,
        runs_at=decision.waits_until or timezone.now(),
        precedent_of=item.cluster if item.queue.precedents else None,
        label_schema=item.queue.label_schema,
    )
    _reserve(cluster, item, _fitting(submitted.annotation, item, members_of(item, user=membership.user, until=until)))
    return submitted, cluster


def _fitting(annotation: Annotation, item: ReviewItem, members: list[Member]) -> list[tuple[Member, dict[int, bool]]]:
    """Return the members with what the answer says of their own findings; without a slot when it does not fit."""
    kept = dict(annotation.finding_verdicts.values_list("finding", "kept"))
    dropped = not all(kept.values())
    own = list(item.checked.findings.all())
    fitting: list[tuple[Member, dict[int, bool]]] = []
    for some in (members[start : start + TEXTS] for start in range(0, len(members), TEXTS)):
        # Words matter only where one was dropped; else the texts need not be read.
        wanted = [member.item.checked_id for member in some if member.slot] if dropped else []
        outputs = dict(CheckContent.objects.filter(checked__in=wanted).values_list("checked", "output"))
        for member in some:
            carried = (
                carried_over(
                    kept,
                    findings=own,
                    output=item.checked.content.output or "",
                    others=list(member.item.checked.findings.all()),
                    other=outputs.get(member.item.checked_id) or "",
                )
                if member.slot
                else {}
            )
            fits = carried is not None
            fitting.append((member if fits else replace(member, slot=None, left_out="place"), carried or {}))
    return fitting


def _reserve(cluster: ClusterDecision, item: ReviewItem, fitting: list[tuple[Member, dict[int, bool]]]) -> None:
    """Take the slots that are still free, and store who is decided with the item and who is left out."""
    wanted = [member.item.id for member, _kept in fitting if member.slot]
    unchanged = ReviewItem.objects.select_for_update(skip_locked=True, no_key=True, of=("self",)).filter(
        id__in=wanted, state__in=_OPEN, cycle=1
    )
    versions = dict(unchanged.order_by("id").values_list("id", "version"))
    now, mine = timezone.now(), Q(state=SlotState.LEASED, lease_owner=cluster.decided_by)
    free = Q(state=SlotState.OPEN) | Q(state=SlotState.LEASED, lease_expires_at__lte=now) | mine
    slots = [member.slot.id for member, _kept in fitting if member.slot and member.item.id in versions]
    Assignment.objects.filter(free, id__in=slots).update(
        state=SlotState.RESERVED,
        lease_owner=cluster.decided_by,
        lease_token=cluster.id,
        lease_expires_at=None,
    )
    taken = set(
        Assignment.objects.filter(id__in=slots, state=SlotState.RESERVED, lease_token=cluster.id).values_list(
            "item", flat=True
        )
    )
    rows = [_row(cluster, member, kept, versions if member.item.id in taken else {}) for member, kept in fitting]
    ClusterMember.objects.bulk_create(rows)
    record_event(
        type="review.cluster.decided",
        project_id=item.project_id,
        actor=user_actor(cluster.decided_by, cluster.role),
        object=EventObject("cluster_decision", cluster.id),
        reason_codes=[f"outcome:{cluster.decision.outcome}"],
        counts={"reserved": len(taken), "left_out": len(rows) - len(taken)},
        cause=[f"decision:{cluster.decision_id}"],
    )


def _row(
    cluster: ClusterDecision, member: Member, kept: dict[int, bool], versions: dict[uuid.UUID, int]
) -> ClusterMember:
    reserved = member.slot is not None and member.item.id in versions
    return ClusterMember(
        cluster=cluster,
        item=member.item,
        version=versions.get(member.item.id, member.item.version),
        kept={str(finding): said for finding, said in kept.items()} if reserved else {},
        state=MemberState.RESERVED if reserved else MemberState.LEFT_OUT,
        why="" if reserved else member.left_out or "held",
    )


def sweep_clusters() -> int:
    """Decide what cluster decisions reserved that can not be taken back any more, and return how many items.

    Running twice, or at the same time, changes nothing more.
    """
    due = ClusterDecision.objects.filter(state=ClusterState.WAITING, runs_at__lte=timezone.now()).order_by("runs_at")
    return sweep_each(due.values_list("id", flat=True), _decide)


def _decide(cluster_id: uuid.UUID) -> int:
    decided = 0
    while (done := _decide_chunk(cluster_id)) is not None:
        decided += done
    follow_late(cluster_id)
    return decided


@transaction.atomic
def _decide_chunk(cluster_id: uuid.UUID) -> int | None:
    """Decide the next members and return how many; None when there are none left, or another worker is at it."""
    waiting = ClusterDecision.objects.filter(id=cluster_id, state=ClusterState.WAITING)
    cluster = (
        waiting.select_for_update(skip_locked=True, of=("self",))
        .select_related("annotation", "decided_by", "queue__project")
        .first()
    )
    if cluster is None:
        return None
    members = list(cluster.members.filter(state=MemberState.RESERVED).order_by("item")[:CHUNK])
    if not members:
        cluster.state, cluster.finished_at = ClusterState.DONE, timezone.now()
        cluster.save(update_fields=["state", "finished_at"])
        return None
    return sum(_settle_member(cluster, member) for member in members)


def _settle_member(cluster: ClusterDecision, member: ClusterMember) -> bool:
    # The lock first: the item is read with all that belongs to it once nobody else can change it.
    ReviewItem.objects.lock(member.item_id)
    item = get_items(ids=[member.item_id])[member.item_id]
    slot = item.assignments.select_for_update().filter(state=SlotState.RESERVED, lease_token=cluster.id).first()
    decided = False
    if slot and item.state in _OPEN and item.version == member.version and pending_appeal(item) is None:
        try:
            with transaction.atomic():
                decide_like(cluster, item, slot, kept={int(finding): kept for finding, kept in member.kept.items()})
            decided = True
        except ReviewError:
            pass  # the label schema of the queue, say, does not offer the answer any more
    if slot and not decided:
        Assignment.objects.filter(id=slot.id).update(state=SlotState.OPEN, lease_owner=None, lease_token=None)
    member.state, member.why = (MemberState.DECIDED, "") if decided else (MemberState.LEFT_OUT, "changed")
    member.save(update_fields=["state", "why"])
    return decided
