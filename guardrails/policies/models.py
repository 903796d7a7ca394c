"""Policies and their immutable versions."""

from __future__ import annotations

from django.db import models

from webapp.accounts.models import Project, User
from webapp.ids import uuid7


class Policy(models.Model):
    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="policies")
    name = models.SlugField(max_length=100)
    active_version = models.ForeignKey("PolicyVersion", on_delete=models.PROTECT, null=True, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["project", "name"], name="policy_name_in_project")]
        verbose_name_plural = "policies"

    def __str__(self) -> str:
        return self.name


class PolicyVersion(models.Model):
    """A document as it was written, and the hash of its meaning. Never changed once stored."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    policy = models.ForeignKey(Policy, on_delete=models.CASCADE, related_name="versions")
    version = models.PositiveIntegerField()
    document = models.TextField(help_text="The YAML as it was given.")
    canonical = models.TextField(help_text="Canonical JSON of the parsed document; what workers get.")
    sha256 = models.CharField(max_length=64, help_text="SHA-256 of `canonical`, in hex.")
    created_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["-version"]
        constraints = [models.UniqueConstraint(fields=["policy", "version"], name="policy_version_number")]

    def __str__(self) -> str:
        return f"{self.policy.name} {self.version}"
