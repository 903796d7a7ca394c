"""Let the near-duplicates go that a decision reserved, when it is taken back, and let nothing follow it."""

from __future__ import annotations

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from review.errors import TooLate
from review.models import Assignment, ClusterDecision, ClusterMember, Decision, ReviewItem
from review.models.clusters import ClusterState, MemberState
from review.models.items import SlotState
from webapp.accounts.models import Membership
from webapp.accounts.services import user_actor
from webapp.audit.log import EventObject, record_event


@transaction.atomic
def withdraw_cluster(decision: Decision, membership: Membership) -> None:
    """Open the near-duplicates again that wait to be decided like `decision`; raise TooLate when some are decided."""
    cluster = ClusterDecision.objects.select_for_update().filter(decision=decision).first()
    if cluster is None:
        return
    if cluster.state != ClusterState.WAITING or cluster.members.filter(state=MemberState.DECIDED).exists():
        raise TooLate(_("Too late to take back: the near-duplicates were decided."))
    reserved = cluster.members.filter(state=MemberState.RESERVED)
    given_back = Assignment.objects.filter(
        item__in=reserved.values("item"), state=SlotState.RESERVED, lease_token=cluster.id
    ).update(state=SlotState.OPEN, lease_owner=None, lease_token=None)
    cluster.state, cluster.finished_at = ClusterState.UNDONE, timezone.now()
    cluster.save(update_fields=["state", "finished_at"])
    record_event(
        type="review.cluster.undone",
        project_id=decision.item.project_id,
        actor=user_actor(membership.user, membership.role),
        object=EventObject("cluster_decision", cluster.id),
        counts={"given_back": given_back},
        cause=[f"decision:{decision.id}"],
    )


def end_precedents(item: ReviewItem) -> None:
    """Let nothing follow any more what decided a locked item, which is taken back, opened again or contested."""
    own = ClusterDecision.objects.filter(item=item).values_list("id")
    member = ClusterMember.objects.filter(item=item, state=MemberState.DECIDED).values_list("cluster")
    followed = Decision.objects.filter(item=item, precedent__isnull=False).values_list("precedent__cluster_decision")
    ended = [cluster for (cluster,) in own.union(member, followed)]
    ClusterDecision.objects.filter(id__in=ended, precedent_of__isnull=False, ended_at=None).update(
        ended_at=timezone.now()
    )
