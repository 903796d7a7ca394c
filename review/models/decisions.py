"""Decisions, append-only: one that was taken back stays, marked, and a later one of the cycle takes its place."""

from __future__ import annotations

import datetime as dt
from typing import Self

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy

from policies.models import PolicyVersion
from review.models.annotations import Outcome
from review.models.items import ReviewItem
from webapp.accounts.models import User
from webapp.ids import uuid7


class Method(models.TextChoices):
    SINGLE = "single", gettext_lazy("Single")
    CONSENSUS = "consensus", gettext_lazy("Consensus")
    ADJUDICATED = "adjudicated", gettext_lazy("Adjudicated")
    CLUSTER = "cluster", gettext_lazy("Cluster")
    APPEAL = "appeal", gettext_lazy("Appeal")
    QA = "qa"


class DecisionQuerySet(models.QuerySet["Decision"]):
    def standing(self) -> Self:
        """Leave out those that were taken back."""
        return self.filter(undone_at=None)

    def undoable(self, *, by: User, now: dt.datetime) -> Self:
        """Return those that `by` made by an answer and can take back at `now`, the newest first."""
        mine = self.standing().filter(decided_by=by, precedent=None, waits_until__gt=now)
        return mine.order_by("-created_at", "-id")

    def told(self) -> Self:
        """Leave out those whose outcome is not told yet, as `is_sealed`."""
        return self.exclude(method=Method.CONSENSUS, waits_until__gt=timezone.now())


class Decision(models.Model):
    """What was decided of an item in one cycle; the newest standing one of an item holds."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    item = models.ForeignKey(ReviewItem, on_delete=models.PROTECT, related_name="decisions")
    cycle = models.PositiveSmallIntegerField(default=1)
    outcome = models.CharField(max_length=8, choices=Outcome)
    method = models.CharField(max_length=12, choices=Method)
    policy_version = models.ForeignKey(PolicyVersion, on_delete=models.PROTECT, related_name="+")
    decided_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    statement = models.TextField(blank=True, help_text="Statement of reasons.")
    statement_edited_by = models.ForeignKey(
        User, on_delete=models.PROTECT, null=True, related_name="+", help_text="Null: as it was composed."
    )
    precedent = models.ForeignKey(
        "self", on_delete=models.PROTECT, null=True, related_name="followers", help_text="The one that it follows."
    )
    supersedes = models.OneToOneField("self", on_delete=models.PROTECT, null=True, related_name="superseded_by")
    created_at = models.DateTimeField(auto_now_add=True)
    waits_until = models.DateTimeField(
        null=True, help_text="Until then it can be taken back; null once everybody was told of it."
    )
    before = models.JSONField(
        default=dict,
        help_text='Restored by undo: {"state", "decided_at", "slots": {id: state}}, of an overturn also "overturned".',
    )
    undone_at = models.DateTimeField(null=True)

    objects = DecisionQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["item", "cycle"], condition=models.Q(undone_at=None), name="one_standing_decision_per_cycle"
            )
        ]
        indexes = [
            models.Index(
                fields=["waits_until"],
                name="decision_waiting",
                condition=models.Q(waits_until__isnull=False, undone_at=None),
            )
        ]

    @property
    def is_sealed(self) -> bool:
        """Whether nobody is told its outcome yet: who answered last may still answer again, and by themselves."""
        return self.method == Method.CONSENSUS and self.seconds_to_undo() > 0

    def seconds_to_undo(self) -> float:
        """Return for how long it can still be taken back; 0 when it can not."""
        if self.waits_until is None or self.undone_at is not None:
            return 0.0
        return max(0.0, (self.waits_until - timezone.now()).total_seconds())


class Reopening(models.Model):
    """Why a lead opened a decided item again. Append-only. Appeals and overturns by QA say themselves why."""

    item = models.ForeignKey(ReviewItem, on_delete=models.PROTECT, related_name="reopenings")
    cycle = models.PositiveSmallIntegerField(help_text="The one that it began.")
    reopened_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    reason = models.TextField()
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["item", "cycle"], name="one_reopening_per_cycle")]
