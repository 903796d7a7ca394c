"""What leads do to many items at once, with what was before."""

from __future__ import annotations

from django.db import models

from review.models.items import ReviewItem
from webapp.accounts.models import Project, User
from webapp.ids import uuid7


class BulkKind(models.TextChoices):
    MOVE = "move"
    SEVERITY = "severity"
    PRIORITY = "priority"
    ASSIGN = "assign"
    CANCEL = "cancel"


class BulkState(models.TextChoices):
    RUNNING = "running"
    DONE = "done"
    UNDOING = "undoing"
    UNDONE = "undone"


class BulkAction(models.Model):
    """One change of all the items that a filter matched when the lead confirmed it."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    project = models.ForeignKey(Project, on_delete=models.PROTECT, related_name="bulk_actions")
    kind = models.CharField(max_length=10, choices=BulkKind)
    value = models.CharField(max_length=40, blank=True, help_text="Queue or user id, severity number, first or last.")
    reason = models.TextField()
    query = models.CharField(max_length=2000, blank=True, help_text="The filter, as in the address.")
    total = models.PositiveIntegerField()
    state = models.CharField(max_length=8, choices=BulkState, default=BulkState.RUNNING)
    created_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    role = models.CharField(max_length=20, help_text="Theirs, when they confirmed it.")
    undone_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)
    finished_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [
            models.Index(fields=["project", "-created_at"], name="bulk_of_project"),
            models.Index(
                fields=["created_at"], name="bulk_at_work", condition=models.Q(state__in=["running", "undoing"])
            ),
        ]


class ChangeState(models.TextChoices):
    WAITING = "waiting"
    CHANGED = "changed"
    SKIPPED = "skipped"
    REVERTED = "reverted"
    KEPT = "kept"


class BulkChange(models.Model):
    """One item of a bulk action: what it was before, what it became, or why it was left as it was."""

    action = models.ForeignKey(BulkAction, on_delete=models.CASCADE, related_name="changes")
    item = models.ForeignKey(ReviewItem, on_delete=models.PROTECT, related_name="+")
    state = models.CharField(max_length=8, choices=ChangeState, default=ChangeState.WAITING)
    why = models.CharField(max_length=10, blank=True, help_text="A key of review.bulk.words.WHY.")
    before = models.JSONField(default=dict)
    after = models.JSONField(default=dict)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["action", "item"], name="one_change_of_an_item_per_action")]
        indexes = [models.Index(fields=["action", "state", "item"], name="bulk_next")]
