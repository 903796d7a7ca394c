"""Near-duplicate items, and what was decided of several at once.

A cluster has the id of its first item, its exemplar, which the others are compared with.
"""

from __future__ import annotations

from django.db import models

from review.models.annotations import Annotation
from review.models.decisions import Decision
from review.models.items import ReviewItem
from review.models.queues import LabelSchemaVersion, Queue
from webapp.accounts.models import User
from webapp.ids import uuid7


class ClusterBand(models.Model):
    """One of the keys by which the near-duplicates of an exemplar are found in its queue."""

    pk = models.CompositePrimaryKey("queue", "key", "exemplar")
    queue = models.ForeignKey(Queue, on_delete=models.CASCADE, related_name="+", db_index=False)
    key = models.BigIntegerField()
    exemplar = models.ForeignKey(ReviewItem, on_delete=models.CASCADE, related_name="+", db_index=False)


class ClusterState(models.TextChoices):
    WAITING = "waiting"
    DONE = "done"
    UNDONE = "undone"


class ClusterDecision(models.Model):
    """One answer for an item and the near-duplicates that waited with it.

    They are reserved while it can be taken back, and decided at `runs_at`; until then nothing of theirs has changed.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    queue = models.ForeignKey(Queue, on_delete=models.PROTECT, related_name="+")
    item = models.ForeignKey(ReviewItem, on_delete=models.PROTECT, related_name="cluster_decisions")
    annotation = models.OneToOneField(Annotation, on_delete=models.PROTECT, related_name="+")
    decision = models.OneToOneField(Decision, on_delete=models.PROTECT, related_name="cluster_decision")
    decided_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    role = models.CharField(max_length=20, help_text="Theirs, when they decided.")
    state = models.CharField(max_length=8, choices=ClusterState, default=ClusterState.WAITING)
    runs_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField(auto_now_add=True)
    precedent_of = models.UUIDField(null=True, help_text="The cluster whose later items follow it, if any do.")
    label_schema = models.ForeignKey(LabelSchemaVersion, on_delete=models.PROTECT, null=True, related_name="+")
    ended_at = models.DateTimeField(null=True, help_text="Since when nothing follows it any more.")

    class Meta:
        indexes = [
            models.Index(fields=["runs_at"], name="cluster_due", condition=models.Q(state="waiting")),
            models.Index(
                fields=["queue", "precedent_of", "-id"],
                name="cluster_precedent",
                condition=models.Q(precedent_of__isnull=False, state="done", ended_at=None),
            ),
        ]


class MemberState(models.TextChoices):
    RESERVED = "reserved"
    DECIDED = "decided"
    LEFT_OUT = "left_out", "left out"


class ClusterMember(models.Model):
    """A near-duplicate of a decision of a cluster, and what became of it."""

    cluster = models.ForeignKey(ClusterDecision, on_delete=models.CASCADE, related_name="members")
    item = models.ForeignKey(ReviewItem, on_delete=models.PROTECT, related_name="+")
    version = models.PositiveIntegerField(help_text="The item's, when it was reserved.")
    kept = models.JSONField(default=dict, help_text="Its own findings to kept or dropped, as the answer carries over.")
    state = models.CharField(max_length=8, choices=MemberState)
    why = models.CharField(max_length=10, blank=True, help_text="Why it was left out: a key of LEFT_OUT.")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["cluster", "item"], name="one_item_of_a_cluster_decision")]
