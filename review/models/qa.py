"""Decisions that a lead looked at again."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from review.models.annotations import Outcome
from review.models.decisions import Decision
from review.models.items import Assignment, ReviewItem
from webapp.accounts.models import User
from webapp.ids import uuid7


class ErrorSeverity(models.TextChoices):
    MINOR = "minor"
    MAJOR = "major"


class QAReview(models.Model):
    """What a lead who had no part in a decision says of it. Append-only, but for `undone_at`."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    item = models.ForeignKey(ReviewItem, on_delete=models.PROTECT, related_name="qa_reviews")
    decision = models.ForeignKey(Decision, on_delete=models.PROTECT, related_name="qa_reviews")
    assignment = models.ForeignKey(Assignment, on_delete=models.PROTECT, related_name="qa_reviews")
    reviewer = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    agrees = models.BooleanField()
    severity = models.CharField(max_length=5, choices=ErrorSeverity, blank=True, help_text="Of the error, if any.")
    outcome = models.CharField(max_length=8, choices=Outcome, help_text="What was right.")
    note = models.TextField(blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    undone_at = models.DateTimeField(null=True, help_text="When the lead took the overturn back.")

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["decision"], condition=Q(undone_at=None), name="one_standing_qa_review_of_a_decision"
            ),
            models.UniqueConstraint(
                fields=["assignment"], condition=Q(undone_at=None), name="one_standing_qa_review_of_a_slot"
            ),
            models.CheckConstraint(
                condition=Q(agrees=True, severity="") | (Q(agrees=False) & ~Q(severity="")),
                name="qa_error_has_a_severity",
            ),
        ]
