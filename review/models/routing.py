"""Which checks go to which queue. Append-only: the newest table of a project holds."""

from __future__ import annotations

from django.db import models

from review.models.queues import Queue
from webapp.accounts.models import Project, User
from webapp.ids import uuid7


class RoutingTable(models.Model):
    """One version of a project's routing rules."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="routing_tables")
    version = models.PositiveIntegerField()
    created_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["project", "version"], name="routing_version_in_project")]


class RoutingRule(models.Model):
    """One rule of a table; the first that matches wins, and the last one has no conditions.

    `review.routing.Conditions` reads `conditions`.
    """

    table = models.ForeignKey(RoutingTable, on_delete=models.CASCADE, related_name="rules")
    position = models.PositiveSmallIntegerField()
    queue = models.ForeignKey(Queue, on_delete=models.PROTECT, related_name="+")
    conditions = models.JSONField(default=dict)

    class Meta:
        ordering = ["position"]
        constraints = [models.UniqueConstraint(fields=["table", "position"], name="routing_rule_position")]
