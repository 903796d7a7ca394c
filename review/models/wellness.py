"""How a project goes easy on its reviewers."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from review import severity
from webapp.accounts.models import Project


class CoverFrom(models.IntegerChoices):
    """From which severity on texts open covered."""

    LOW = severity.LOW, _("from low severity")
    MEDIUM = severity.MEDIUM, _("from medium severity")
    HIGH = severity.HIGH, _("from high severity")
    CRITICAL = severity.CRITICAL, _("critical ones only")
    NEVER = severity.CRITICAL + 1, _("never")


class Look(models.TextChoices):
    PLAIN = "plain", _("as they are")
    GREY = "grey", _("grey")
    BLUR = "blur", _("blurred until pointed at, or shown by key")
    BOTH = "grey blur", _("grey and blurred")


class WellnessSettings(models.Model):
    """A project's settings; without a row the defaults hold. Cover and look reviewers can choose for themselves."""

    project = models.OneToOneField(Project, on_delete=models.CASCADE, primary_key=True, related_name="wellness")
    cover_from = models.PositiveSmallIntegerField(choices=CoverFrom, default=CoverFrom.HIGH)
    look = models.CharField(max_length=10, choices=Look, default=Look.PLAIN)
    cap_minutes = models.PositiveSmallIntegerField(
        default=240, help_text="Weighted exposure a day, the least of all projects one works in; 0: no cap."
    )
    break_after_minutes = models.PositiveSmallIntegerField(default=55, help_text="At work; 0 is no breaks.")
    break_minutes = models.PositiveSmallIntegerField(default=5)
