"""What reviewers were exposed to, and their breaks. Personal: shown to that person, to nobody else but in sums."""

from __future__ import annotations

from django.db import models
from django.db.models.functions import Now
from django.utils import timezone

from review.models.items import ReviewItem
from webapp.accounts.models import Project, User


class ExposureEntry(models.Model):
    """One time that a reviewer had an item before them, from claim to answer. It grows while they look at it."""

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="+")
    reviewer = models.ForeignKey(User, on_delete=models.CASCADE, related_name="exposures")
    item = models.ForeignKey(ReviewItem, on_delete=models.CASCADE, related_name="+")
    lease = models.UUIDField(null=True, help_text="The token of the lease under which they had it.")
    severity = models.PositiveSmallIntegerField()
    active_seconds = models.FloatField(help_text="At work on it.")
    seen_seconds = models.FloatField(help_text="Of these, with its texts uncovered.")
    weighted_seconds = models.FloatField(help_text="Seen, times the weight of its severity.")
    created_at = models.DateTimeField(auto_now_add=True)
    counted_at = models.DateTimeField(default=timezone.now, db_default=Now(), help_text="When it last grew.")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["reviewer", "item", "lease"], name="one_exposure_entry_of_a_lease")
        ]
        indexes = [
            models.Index(fields=["reviewer", "created_at"], name="exposure_of_reviewer"),
            models.Index(fields=["reviewer", "counted_at"], name="exposure_counted"),
            models.Index(fields=["project", "created_at"], name="exposure_of_project"),
        ]


class Break(models.Model):
    """A time without new items: due after so many minutes at work, or taken unasked."""

    reviewer = models.ForeignKey(User, on_delete=models.CASCADE, related_name="breaks")
    started_at = models.DateTimeField()
    ends_at = models.DateTimeField()

    class Meta:
        indexes = [models.Index(fields=["reviewer", "-ends_at"], name="break_of_reviewer")]
