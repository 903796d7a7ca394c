"""What lists of items are searched by."""

from __future__ import annotations

from django.contrib.postgres.indexes import GinIndex
from django.contrib.postgres.search import SearchVectorField
from django.db import models

from webapp.accounts.models import Project, User
from webapp.interception.models import Check


class SearchText(models.Model):
    """The words of a check that people review. Triggers on its texts keep it true: erased texts are not found."""

    checked = models.OneToOneField(
        Check, on_delete=models.CASCADE, primary_key=True, related_name="+", db_column="check_id"
    )
    words = SearchVectorField()

    class Meta:
        indexes = [GinIndex(fields=["words"], name="search_words")]


class SavedFilter(models.Model):
    """A list of items that one person comes back to."""

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="+")
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="+")
    name = models.CharField(max_length=100)
    query = models.CharField(max_length=2000, blank=True, help_text="As in the address, without the question mark.")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["project", "user", "name"], name="one_filter_of_a_name")]
