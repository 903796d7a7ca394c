"""Projects, members, applications and API keys."""

from __future__ import annotations

import uuid

from django.contrib.auth.models import AbstractUser
from django.db import models
from django.db.models.functions import Upper
from django.utils.translation import gettext_lazy as _

from webapp.ids import uuid7


class User(AbstractUser):
    """A person. Names that differ only in case are the same name: sign-in refuses both of such a pair."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    language = models.CharField(max_length=16, blank=True, help_text="Of the pages; empty: what the browser asks for.")

    class Meta(AbstractUser.Meta):
        constraints = [
            # Upper, because iexact compares in upper case: by it "\u0131" (dotless) is an "i", by Lower it is not.
            models.UniqueConstraint(
                Upper("username"),
                name="username_unless_case",
                violation_error_message=_("A user with that username already exists."),
            ),
        ]


class Project(models.Model):
    """The tenant; nothing crosses it."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    slug = models.SlugField(unique=True)
    name = models.CharField(max_length=200)
    default_policy = models.CharField(max_length=100, blank=True, help_text="Policy of checks that name none.")
    random_review_rate = models.FloatField(default=0.01, help_text="Share of all other checks that a person reviews.")
    requests_per_minute = models.PositiveIntegerField(default=60_000)
    created_at = models.DateTimeField(auto_now_add=True)

    #: Not stored: the active version of the default policy, where the query that gave this project asked for it.
    default_version_id: uuid.UUID | None = None

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(random_review_rate__gte=0, random_review_rate__lte=1), name="project_rate_is_a_share"
            ),
        ]

    def __str__(self) -> str:
        return self.name


class Role(models.TextChoices):
    OWNER = "owner", _("Owner")
    LEAD = "lead", _("Lead")
    REVIEWER = "reviewer", _("Reviewer")
    COMPLIANCE = "compliance", _("Compliance")


class Membership(models.Model):
    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="memberships")
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="memberships")
    role = models.CharField(max_length=20, choices=Role)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["project", "user"], name="one_membership_per_project")]


class Application(models.Model):
    """A client of the API."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="applications")
    name = models.CharField(max_length=200)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["project", "name"], name="application_name_in_project")]

    def __str__(self) -> str:
        return self.name


class ApiKey(models.Model):
    """Shown once, stored as SHA-256: the key has 256 random bits, so a slow hash would add nothing but delay."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    application = models.ForeignKey(Application, on_delete=models.CASCADE, related_name="keys")
    prefix = models.CharField(max_length=16)
    sha256 = models.CharField(max_length=64, unique=True)
    created_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True)
    created_at = models.DateTimeField(auto_now_add=True)
    revoked_at = models.DateTimeField(null=True, blank=True)
