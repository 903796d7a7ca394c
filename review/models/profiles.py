"""What reviewers set for themselves."""

from __future__ import annotations

from django.db import models

from review.models.wellness import CoverFrom, Look
from webapp.accounts.models import Membership


class ReviewerProfile(models.Model):
    """A member's own way of reviewing in one project; who never set anything has no row."""

    membership = models.OneToOneField(Membership, on_delete=models.CASCADE, related_name="reviewer_profile")
    keys = models.JSONField(default=dict, help_text="Keys by command, where they are not the usual ones.")
    cover_from = models.PositiveSmallIntegerField(choices=CoverFrom, null=True, help_text="Null: the project's.")
    look = models.CharField(max_length=10, choices=Look, blank=True, help_text="Empty: the project's.")
    toggles = models.BooleanField(default=False, help_text="The key shows a covered text until it is pressed again.")
    opted_out = models.JSONField(default=list, help_text="Categories of findings that they never get.")
    languages = models.JSONField(default=list, help_text="Codes of the languages that they get; empty: all.")
    skills = models.JSONField(default=list, help_text="What a lead says that they can.")
