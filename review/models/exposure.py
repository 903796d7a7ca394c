"""What reviewers were exposed to, and their breaks. Personal: shown to that person, to nobody else but in sums."""

from __future__ import annotations

from django.db import models

from review.models.items import ReviewItem
from webapp.accounts.models import Project, User


class ExposureEntry(models.Model):
    """One time that a reviewer had an item before them. Append-only."""

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="+")
    reviewer = models.ForeignKey(User, on_delete=models.CASCADE, related_name="exposures")
    item = models.ForeignKey(ReviewItem, on_delete=models.CASCADE, related_name="+")
    severity = models.PositiveSmallIntegerField()
    active_seconds = models.FloatField(help_text="At work on it.")
    seen_seconds = models.FloatField(help_text="Of these, with its texts uncovered.")
    weighted_seconds = models.FloatField(help_text="Seen, times the weight of its severity.")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        indexes = [
            models.Index(fields=["reviewer", "created_at"], name="exposure_of_reviewer"),
            models.Index(fields=["project", "created_at"], name="exposure_of_project"),
        ]


class Break(models.Model):
    """A time without new items: due after so many minutes at work, or taken unasked."""

    reviewer = models.ForeignKey(User, on_delete=models.CASCADE, related_name="breaks")
    started_at = models.DateTimeField()
    ends_at = models.DateTimeField()

    class Meta:
        indexes = [models.Index(fields=["reviewer", "-ends_at"], name="break_of_reviewer")]
