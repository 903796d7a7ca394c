"""Let the near-duplicates go that a decision reserved, when it is taken back."""

from __future__ import annotations

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from review.errors import TooLate
from review.models import Assignment, ClusterDecision, Decision
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
