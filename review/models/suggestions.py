"""What people or models said of an output elsewhere, for a reviewer to take over or not."""

from __future__ import annotations

from django.db import models

from review.models.annotations import AnnotationVerdict, Outcome
from webapp.ids import uuid7
from webapp.interception.models import Check


class Suggestion(models.Model):
    """One answer of elsewhere. Its labels are findings; its texts are here, apart from what reviewers wrote."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    checked = models.ForeignKey(Check, on_delete=models.CASCADE, related_name="suggestions", db_column="check_id")
    source = models.CharField(max_length=10, help_text="annotation or prediction")
    model = models.CharField(max_length=120, blank=True, help_text="What predicted it, if it says so.")
    verdict = models.CharField(max_length=8, choices=AnnotationVerdict, blank=True)
    outcome = models.CharField(max_length=8, choices=Outcome, blank=True)
    correction = models.TextField(blank=True, help_text="The output as it should have been; empty when not said.")
    note = models.TextField(blank=True)
    sha256 = models.CharField(max_length=64, help_text="Of what it says: the same is stored once.")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["checked", "sha256"], name="one_suggestion_of_a_check_each")]
