"""Queues and the schemas of what reviewers may answer."""

from __future__ import annotations

from django.db import models

from webapp.accounts.models import Project
from webapp.ids import uuid7


class LabelSchema(models.Model):
    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="label_schemas")
    name = models.SlugField(max_length=100)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["project", "name"], name="label_schema_name_in_project")]


class LabelSchemaVersion(models.Model):
    """What a reviewer may answer. It never changes; a change is one more version.

    `definition`: {"categories": [...], "rationale_snippets": [...], "outcomes": [...], "rubric": [{"name", "points"}]},
    the last two left out in versions that offer all verdicts and have no rubric. `review.definition` reads it.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    schema = models.ForeignKey(LabelSchema, on_delete=models.CASCADE, related_name="versions")
    version = models.PositiveIntegerField()
    definition = models.JSONField()
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["schema", "version"], name="label_schema_version_number")]

    def __str__(self) -> str:
        return f"{self.schema.name} v{self.version}"


def _skip_reasons() -> list[str]:
    return ["unclear", "wrong language", "conflict of interest", "too distressing"]


class Queue(models.Model):
    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="queues")
    slug = models.SlugField(max_length=100)
    name = models.CharField(max_length=200)
    label_schema = models.ForeignKey(LabelSchemaVersion, on_delete=models.PROTECT, related_name="queues")
    required_reviews = models.PositiveSmallIntegerField(default=1)
    max_reviews = models.PositiveSmallIntegerField(default=3, help_text="Slots before an adjudicator decides.")
    consensus_threshold = models.FloatField(
        default=0.6, help_text="Share of the answers that must agree: 0.6 lets two of three decide."
    )
    lease_seconds = models.PositiveIntegerField(default=300)
    prefetch_lease_seconds = models.PositiveIntegerField(default=120)
    sla_seconds = models.PositiveIntegerField(default=3600)
    undo_seconds = models.PositiveSmallIntegerField(
        default=10, help_text="For how long a decision can be taken back before it takes effect."
    )
    # Shares of the items that come in, in [0, 1]; drawn item by item when they are raised.
    blind_rate = models.FloatField(default=0.0, db_default=0.0)
    overlap_rate = models.FloatField(default=0.0, db_default=0.0)
    golden_rate = models.FloatField(default=0.0, db_default=0.0)
    qa_rate = models.FloatField(default=0.0, db_default=0.0)
    golden_pass_mark = models.FloatField(
        default=0.8, db_default=0.8, help_text="Mean score of golden answers below which a reviewer is paused."
    )
    golden_window = models.PositiveSmallIntegerField(
        default=10, db_default=10, help_text="How many of their last golden answers are counted."
    )
    skills = models.JSONField(default=list, help_text="Who has them all gets items of the queue.")
    reason_for = models.JSONField(default=list, help_text="Verdicts that need a reason, of OUTCOMES.")
    skip_reasons = models.JSONField(default=_skip_reasons)
    precedents = models.BooleanField(
        default=False, db_default=False, help_text="Later near-duplicates are decided as a cluster was."
    )
    paused = models.BooleanField(default=False)
    version = models.PositiveIntegerField(default=1, help_text="Grows with every change, so that two leads notice.")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["project", "slug"], name="queue_slug_in_project")]

    def __str__(self) -> str:
        return self.name
