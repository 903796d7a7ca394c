"""Decisions, append-only."""

from __future__ import annotations

from django.db import models

from policies.models import PolicyVersion
from review.models.annotations import Outcome
from review.models.items import ReviewItem
from webapp.accounts.models import User
from webapp.ids import uuid7


class Method(models.TextChoices):
    SINGLE = "single"
    CONSENSUS = "consensus"
    ADJUDICATED = "adjudicated"
    CLUSTER = "cluster"
    APPEAL = "appeal"


class Decision(models.Model):
    """What was decided of an item in one cycle; the newest of an item holds."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    item = models.ForeignKey(ReviewItem, on_delete=models.PROTECT, related_name="decisions")
    cycle = models.PositiveSmallIntegerField(default=1)
    outcome = models.CharField(max_length=8, choices=Outcome)
    method = models.CharField(max_length=12, choices=Method)
    policy_version = models.ForeignKey(PolicyVersion, on_delete=models.PROTECT, related_name="+")
    decided_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    statement = models.TextField(blank=True, help_text="Statement of reasons.")
    supersedes = models.OneToOneField("self", on_delete=models.PROTECT, null=True, related_name="superseded_by")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["item", "cycle"], name="one_decision_per_cycle")]


class Reopening(models.Model):
    """Why a decided item went into another cycle. Append-only."""

    item = models.ForeignKey(ReviewItem, on_delete=models.PROTECT, related_name="reopenings")
    cycle = models.PositiveSmallIntegerField(help_text="The one that it began.")
    reopened_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    reason = models.TextField()
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["item", "cycle"], name="one_reopening_per_cycle")]
