"""Golden items: decided items whose right answer a lead wrote down, and how reviewers fared with them."""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q

from review.models.annotations import Annotation, Outcome
from review.models.queues import Queue
from webapp.accounts.models import Project, User
from webapp.ids import uuid7


class RetiredBecause(models.TextChoices):
    """Why a golden item is shown to nobody any more; empty: a lead retired it."""

    REVERSED = "reversed"


class GoldenItem(models.Model):
    """What is the right answer to a decided item. Reviewers get it as another item, its *probe*, made of `source`."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    project = models.ForeignKey(Project, on_delete=models.PROTECT, related_name="golden_items")
    queue = models.ForeignKey(Queue, on_delete=models.PROTECT, related_name="golden_items")
    source = models.ForeignKey("review.ReviewItem", on_delete=models.PROTECT, related_name="golden_of")
    outcome = models.CharField(max_length=8, choices=Outcome)
    labels = models.JSONField(default=dict, help_text="Category to true or false; an absent one is not scored.")
    spans = models.JSONField(default=list, help_text="[[start, end, label]] in code points; [] is not scored.")
    note = models.TextField(blank=True, help_text="Why this is right, for leads.")
    created_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)
    turn_at = models.DateTimeField(
        null=True,
        help_text="When it last had its turn to be shown, even if nobody was left for it; the longest ago first.",
    )
    retired_at = models.DateTimeField(null=True)
    retired_because = models.CharField(
        max_length=8,
        choices=RetiredBecause,
        blank=True,
        db_default="",
        help_text="Reversed: another outcome was decided of its check later, so its results count no more.",
    )

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["source"], condition=Q(retired_at=None), name="one_golden_answer_of_an_item"
            )
        ]
        indexes = [
            models.Index(
                F("queue"),
                F("turn_at").asc(nulls_first=True),
                F("id"),
                name="golden_turns",
                condition=Q(retired_at=None),
            )
        ]


class GoldenResult(models.Model):
    """How far an answer was the right one. Append-only."""

    annotation = models.OneToOneField(Annotation, on_delete=models.PROTECT, related_name="golden_result")
    golden = models.ForeignKey(GoldenItem, on_delete=models.PROTECT, related_name="results")
    queue = models.ForeignKey(Queue, on_delete=models.PROTECT, related_name="+")
    reviewer = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    verdict = models.BooleanField(help_text="Whether the outcome was the right one.")
    categories = models.FloatField(null=True, help_text="Share of the scored categories that were right.")
    spans = models.FloatField(null=True, help_text="F1 of the places.")
    score = models.FloatField(help_text="Mean of the parts that are scored, in [0, 1].")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        indexes = [models.Index(fields=["queue", "reviewer", "-created_at"], name="golden_results_of_reviewer")]


class ReviewerPause(models.Model):
    """A reviewer who gets nothing new of a queue until a lead lifts it.

    It is lifted by itself, without `lifted_by`, when what it was for is reversed.
    """

    queue = models.ForeignKey(Queue, on_delete=models.CASCADE, related_name="reviewer_pauses")
    reviewer = models.ForeignKey(User, on_delete=models.CASCADE, related_name="+")
    score = models.FloatField(help_text="What their last golden answers came to.")
    results = models.PositiveSmallIntegerField(help_text="How many those were.")
    created_at = models.DateTimeField(auto_now_add=True)
    lifted_at = models.DateTimeField(null=True)
    lifted_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+")

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["queue", "reviewer"], condition=Q(lifted_at=None), name="one_pause_of_a_reviewer_in_a_queue"
            )
        ]
