"""What reviewers said. Append-only: a changed mind is a new annotation that supersedes the old one.

Of one that was taken back only `counts` and `undone_at` change; the answer that follows supersedes it.
"""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy

from policies.models import PolicyVersion
from review.models.items import Assignment, ReviewItem
from webapp.accounts.models import User
from webapp.ids import uuid7
from webapp.interception.models import Finding


class AnnotationVerdict(models.TextChoices):
    VIOLATES = "violates", gettext_lazy("Violates")
    FINE = "fine", gettext_lazy("Fine")
    UNSURE = "unsure", gettext_lazy("Unsure")


class Outcome(models.TextChoices):
    RELEASE = "release", gettext_lazy("Release")
    REDACT = "redact", gettext_lazy("Redact")
    REPLACE = "replace", gettext_lazy("Replace")
    BLOCK = "block", gettext_lazy("Block")


class Assistance(models.TextChoices):
    BLIND = "blind", gettext_lazy("machine scores were hidden")
    AFTER_COMMIT = "after_commit", gettext_lazy("shown after the reviewer committed")
    SHOWN = "shown", gettext_lazy("machine scores were shown")


class Annotation(models.Model):
    """One reviewer's answer to one item."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    item = models.ForeignKey(ReviewItem, on_delete=models.PROTECT, related_name="annotations")
    assignment = models.ForeignKey(Assignment, on_delete=models.PROTECT, related_name="annotations")
    reviewer = models.ForeignKey(User, on_delete=models.PROTECT, related_name="annotations")
    cycle = models.PositiveSmallIntegerField(default=1)
    verdict = models.CharField(max_length=8, choices=AnnotationVerdict)
    outcome = models.CharField(max_length=8, choices=Outcome, blank=True, help_text="What to do; empty when unsure.")
    labels = models.JSONField(default=dict, help_text="Category to true or false; an absent one is unknown.")
    rubric = models.JSONField(default=dict)
    rationale = models.TextField(blank=True, help_text="The sentences that the reviewer chose, then their note.")
    reasons = models.JSONField(
        default=list, help_text="Ids of the policy's rules that the reviewer gave as the reason."
    )
    statement = models.TextField(blank=True, help_text="Statement of reasons; empty when unsure.")
    statement_edited = models.BooleanField(default=False, help_text="Whether they wrote it otherwise than composed.")
    confidence = models.FloatField(null=True)
    policy_version = models.ForeignKey(PolicyVersion, on_delete=models.PROTECT, related_name="+")
    assistance = models.CharField(max_length=12, choices=Assistance, default=Assistance.SHOWN)
    counts = models.BooleanField(
        default=True, help_text="False: the slot was retaken or the item decided before it came, or it was taken back."
    )
    active_ms = models.PositiveIntegerField(null=True)
    keystrokes = models.PositiveIntegerField(null=True)
    precedent = models.ForeignKey(
        "review.Decision",
        on_delete=models.PROTECT,
        null=True,
        related_name="+",
        db_index=False,
        help_text="Set: nobody read this output; it is answered as that of this decision was.",
    )
    idempotency_key = models.UUIDField(unique=True)
    supersedes = models.OneToOneField("self", on_delete=models.PROTECT, null=True, related_name="superseded_by")
    undone_at = models.DateTimeField(null=True, help_text="When the reviewer took it back.")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["assignment", "cycle"], condition=models.Q(counts=True), name="one_counting_answer_per_slot"
            ),
        ]


class FindingVerdict(models.Model):
    """Kept or dropped: whether a finding was right."""

    annotation = models.ForeignKey(Annotation, on_delete=models.CASCADE, related_name="finding_verdicts")
    finding = models.ForeignKey(Finding, on_delete=models.CASCADE, related_name="+")
    kept = models.BooleanField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["annotation", "finding"], name="one_verdict_per_finding")]


class SpanAnnotation(models.Model):
    """A span of the output as the reviewer left it, in code points."""

    class Change(models.TextChoices):
        KEPT = "kept"
        ADDED = "added"
        REMOVED = "removed"
        RETYPED = "retyped"
        RESIZED = "resized"

    annotation = models.ForeignKey(Annotation, on_delete=models.CASCADE, related_name="spans")
    finding = models.ForeignKey(Finding, on_delete=models.SET_NULL, null=True, related_name="+")
    change = models.CharField(max_length=8, choices=Change)
    label = models.CharField(max_length=100)
    start = models.PositiveIntegerField()
    end = models.PositiveIntegerField()


class Correction(models.Model):
    """The output as it should have been."""

    annotation = models.OneToOneField(Annotation, on_delete=models.CASCADE, related_name="correction")
    base_sha256 = models.CharField(max_length=64, help_text="Of the output that was edited, UTF-8.")
    text = models.TextField()
    kind = models.CharField(max_length=12, default="edit")


class PreferencePair(models.Model):
    """Two completions of one conversation, and which a person preferred."""

    annotation = models.ForeignKey(Annotation, on_delete=models.CASCADE, related_name="pairs")
    chosen = models.TextField()
    rejected = models.TextField()
    strength = models.FloatField(default=1.0, help_text="1 clearly, 0.5 slightly, 0 as good as the other.")
    source = models.CharField(max_length=12, default="correction", help_text="correction or a_b")
    chosen_left = models.BooleanField(null=True, help_text="Whether `chosen` stood left; null for a correction.")
