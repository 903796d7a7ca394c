"""Datasets, their frozen versions and rows, exports."""

from __future__ import annotations

from django.db import models

from webapp.accounts.models import Project, User
from webapp.ids import uuid7


class Dataset(models.Model):
    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="datasets")
    slug = models.SlugField(max_length=100)
    name = models.CharField(max_length=200)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["project", "slug"], name="dataset_slug_in_project")]

    def __str__(self) -> str:
        return self.name


class DatasetVersion(models.Model):
    """A frozen membership: the same version gives the same bytes, whenever it is exported."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    dataset = models.ForeignKey(Dataset, on_delete=models.CASCADE, related_name="versions")
    version = models.PositiveIntegerField()
    filters = models.JSONField(default=dict, help_text="What the rows were chosen by.")
    digest = models.CharField(max_length=64, help_text="RFC 6962 root over the RFC 8785 row hashes, in hex.")
    rows = models.PositiveIntegerField()
    split_counts = models.JSONField(default=dict)
    created_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["dataset", "version"], name="dataset_version_number")]


class DatasetRow(models.Model):
    """One record of a version, frozen as canonical JSON."""

    version = models.ForeignKey(DatasetVersion, on_delete=models.CASCADE, related_name="members")
    index = models.PositiveIntegerField()
    item_id = models.UUIDField()
    group_key = models.CharField(max_length=64)
    split = models.CharField(max_length=12)
    record = models.TextField(help_text="RFC 8785 JSON.")
    sha256 = models.CharField(max_length=64)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["version", "index"], name="row_place_in_version")]


class SplitLedger(models.Model):
    """The split each group was first given; it stays, so that no group moves from train to test."""

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="+")
    group_key = models.CharField(max_length=64)
    split = models.CharField(max_length=12)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["project", "group_key"], name="one_split_per_group")]


class Export(models.Model):
    """Files made of a version by one exporter."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    version = models.ForeignKey(DatasetVersion, on_delete=models.PROTECT, related_name="exports")
    format = models.CharField(max_length=40)
    manifest = models.JSONField(default=dict, help_text="Files with rows, bytes and SHA-256; digest; filters.")
    created_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True)
    created_at = models.DateTimeField(auto_now_add=True)
