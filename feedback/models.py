"""Datasets, their frozen versions and rows, exports."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from webapp.accounts.models import Project, User
from webapp.ids import uuid7
from webapp.sentences import from_parts


class Split(models.TextChoices):
    TRAIN = "train", _("Train")
    VALIDATION = "validation", _("Validation")
    TEST = "test", _("Test")


class JobState(models.TextChoices):
    PENDING = "pending", _("waiting")
    RUNNING = "running", _("Running")
    DONE = "done", _("Done")
    FAILED = "failed", _("Failed")


def in_order(counts: dict[str, int]) -> dict[str, int]:
    """Return counts by split in the order of Split: PostgreSQL keeps the keys of JSON by length."""
    return {split: counts[split] for split in Split.values if split in counts}


LIVE_STATES = (JobState.PENDING, JobState.RUNNING)


class Job(models.Model):
    """Work that outlives a web request. One run at a time holds it, by `run`; see feedback.jobs."""

    state = models.CharField(max_length=8, choices=JobState, default=JobState.PENDING)
    done = models.PositiveIntegerField(default=0, help_text="Steps done, out of `total`.")
    total = models.PositiveIntegerField(default=0)
    error = models.CharField(max_length=300, blank=True, help_text="Why it failed; never a text of a check.")
    error_parts = models.JSONField(null=True, help_text="What `error` is made of, for other languages than English.")
    run = models.UUIDField(null=True, help_text="The run that holds the work.")
    beat_at = models.DateTimeField(null=True, help_text="The last sign of life of that run.")

    class Meta:
        abstract = True

    @property
    def is_live(self) -> bool:
        return self.state in LIVE_STATES

    @property
    def failure(self) -> str:
        """Why it failed, in the reader's language."""
        return from_parts(self.error, self.error_parts)


class Dataset(models.Model):
    """A choice of decided items; freezing it makes versions."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="datasets")
    slug = models.SlugField(max_length=100)
    name = models.CharField(max_length=200)
    filters = models.JSONField(default=dict, help_text="See feedback.filters.Filters.")
    purpose = models.CharField(max_length=200, blank=True, help_text="What the data may be used for.")
    licence = models.CharField(max_length=100, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["project", "slug"], name="dataset_slug_in_project")]

    def __str__(self) -> str:
        return self.name


class DatasetVersion(Job):
    """A frozen membership: the same version gives the same bytes, whenever it is exported."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    dataset = models.ForeignKey(Dataset, on_delete=models.CASCADE, related_name="versions")
    version = models.PositiveIntegerField()
    filters = models.JSONField(default=dict, help_text="What the rows were chosen by.")
    digest = models.CharField(max_length=64, blank=True, help_text="RFC 6962 root over the row hashes, in hex.")
    rows = models.PositiveIntegerField(default=0)
    split_counts = models.JSONField(default=dict)
    leakage = models.JSONField(default=dict, help_text="What kept the splits apart, in counts.")
    created_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["dataset", "version"], name="dataset_version_number"),
            models.UniqueConstraint(
                fields=["dataset"], condition=Q(state__in=LIVE_STATES), name="one_live_freeze_of_a_dataset"
            ),
            models.CheckConstraint(condition=~Q(state="done") | ~Q(digest=""), name="frozen_version_has_a_digest"),
        ]

    def __str__(self) -> str:
        return f"{self.dataset.name} {self.version}"

    @property
    def splits(self) -> dict[str, int]:
        return in_order(self.split_counts)


class DatasetRow(models.Model):
    """One record of a version, frozen as canonical JSON."""

    version = models.ForeignKey(DatasetVersion, on_delete=models.CASCADE, related_name="members")
    index = models.PositiveIntegerField()
    item_id = models.UUIDField()
    group_key = models.CharField(max_length=64)
    split = models.CharField(max_length=12, choices=Split)
    record = models.TextField(help_text="RFC 8785 JSON.")
    sha256 = models.CharField(max_length=64, help_text="Of `record`, UTF-8, in hex.")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["version", "index"], name="row_place_in_version")]


class SplitLedger(models.Model):
    """The split that a conversation or a text was first given; it stays, so that nothing moves from train to test."""

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="+")
    group_key = models.CharField(max_length=64, help_text="Keyed hash of the conversation or of the text.")
    split = models.CharField(max_length=12, choices=Split)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["project", "group_key"], name="one_split_per_group")]


class Export(Job):
    """Files made of a version by one exporter. Rows are kept: each says who exported what, and when."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    version = models.ForeignKey(DatasetVersion, on_delete=models.PROTECT, related_name="exports")
    format = models.CharField(max_length=40)
    path = models.CharField(max_length=500, blank=True, help_text="The folder of the files.")
    manifest = models.JSONField(default=dict, help_text="Files with rows, bytes and SHA-256; digest; filters.")
    created_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["version", "format"],
                condition=Q(state__in=LIVE_STATES),
                name="one_live_export_of_a_version_and_format",
            ),
        ]

    @property
    def splits(self) -> dict[str, int]:
        return in_order(self.manifest["rows"])
