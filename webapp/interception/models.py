"""Checks, their content, findings and releases.

Rows point to their check by a field named `checked`: `check` is a method of every Django model.
"""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy

from policies.models import PolicyVersion
from webapp.accounts.models import Application, Project
from webapp.ids import public_id, uuid7


class CheckState(models.TextChoices):
    PENDING = "pending", "waiting for its verdict"
    CONCLUDED = "concluded"


class Verdict(models.TextChoices):
    ALLOW = "allow", gettext_lazy("Allow")
    REDACT = "redact", gettext_lazy("Redact")
    HOLD = "hold", gettext_lazy("Hold")
    BLOCK = "block", gettext_lazy("Block")


class Check(models.Model):
    """One interception. `verdict` is the machine's and never changes; what a person decided is the newest Release."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    project = models.ForeignKey(Project, on_delete=models.PROTECT, related_name="checks")
    application = models.ForeignKey(Application, on_delete=models.PROTECT, related_name="checks")
    policy_version = models.ForeignKey(PolicyVersion, on_delete=models.PROTECT, related_name="checks")
    door = models.CharField(max_length=40, default="checks", help_text="The API that the check came through.")
    state = models.CharField(max_length=12, choices=CheckState, default=CheckState.PENDING)
    verdict = models.CharField(max_length=8, choices=Verdict, blank=True)
    flagged = models.BooleanField(default=False)
    asynchronous = models.BooleanField(default=False, help_text="It was accepted before it was screened.")
    #: An entry may also have `awaits`, the queues whose part can still come, and `late`: one came after the verdict.
    unscanned = models.JSONField(default=list, help_text='[{"rule", "reason"}]: rules that did not finish.')
    scores = models.JSONField(null=True, help_text="Category to probability, of the output; null when no model ran.")
    model_version = models.CharField(max_length=120, blank=True)
    conversation_id = models.CharField(max_length=200, blank=True)
    idempotency_key = models.CharField(max_length=255, null=True)
    request_sha256 = models.CharField(max_length=64)
    deadline_ms = models.PositiveIntegerField()
    inclusion_prob = models.FloatField(
        default=1.0, help_text="Probability with which this check's kind enters review; 1 for held and flagged ones."
    )
    compared_with = models.ForeignKey(
        "self",
        on_delete=models.SET_NULL,
        null=True,
        db_index=False,
        related_name="+",
        help_text="The check of the other candidate output of the same conversation; a person compares the two.",
    )
    reply_key = models.CharField(
        max_length=80, blank=True, help_text="Where late results arrive; empty when none are due."
    )
    timings = models.JSONField(default=dict)
    created_at = models.DateTimeField()
    concluded_at = models.DateTimeField(null=True)

    #: Not stored: whether concluding it, in this process, put it in front of people; None when that is not known.
    raised: bool | None = None

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["application", "idempotency_key"], name="check_idempotency_key"),
            models.CheckConstraint(
                condition=models.Q(state="pending", verdict="", concluded_at=None)
                | (models.Q(state="concluded", concluded_at__isnull=False) & ~models.Q(verdict="")),
                name="check_verdict_with_conclusion",
            ),
        ]
        indexes = [
            models.Index(fields=["project", "-created_at"], name="check_project_created"),
            models.Index(fields=["project", "concluded_at"], name="check_project_concluded"),
            models.Index(
                fields=["compared_with"], name="check_compared", condition=models.Q(compared_with__isnull=False)
            ),
            models.Index(fields=["created_at"], name="check_pending", condition=models.Q(state="pending")),
            models.Index(fields=["created_at"], name="check_late", condition=~models.Q(reply_key="")),
        ]

    @property
    def public_id(self) -> str:
        return public_id("chk", self.id)


class CheckContent(models.Model):
    """The texts of a check, apart from it, so that they can be erased while the record stays."""

    checked = models.OneToOneField(
        Check, on_delete=models.CASCADE, primary_key=True, related_name="content", db_column="check_id"
    )
    output = models.TextField(null=True, help_text="As the application sent it; null when only messages were screened.")
    released = models.TextField(null=True, help_text="The text the machine's verdict let out; null when none.")
    messages = models.JSONField(default=list)
    context = models.JSONField(default=list)
    end_user = models.CharField(max_length=200, blank=True)
    metadata = models.JSONField(default=dict)


class Finding(models.Model):
    """What one rule found. `start` and `end` are code-point offsets into the target."""

    checked = models.ForeignKey(Check, on_delete=models.CASCADE, related_name="findings", db_column="check_id")
    rule = models.CharField(max_length=100)
    detector = models.CharField(max_length=60)
    category = models.CharField(max_length=100)
    score = models.FloatField()
    threshold = models.FloatField(null=True)
    action = models.CharField(max_length=8)
    target = models.CharField(max_length=40)
    start = models.PositiveIntegerField(null=True)
    end = models.PositiveIntegerField(null=True)
    model = models.CharField(max_length=120, blank=True)
    detail = models.CharField(max_length=300, blank=True)
    late = models.BooleanField(default=False, help_text="Came after the verdict.")


class ReleaseOutcome(models.TextChoices):
    RELEASED = "released"
    REDACTED = "redacted"
    REPLACED = "replaced"
    BLOCKED = "blocked"


class Release(models.Model):
    """What a person's decision made of a check; the newest that is out holds. Append-only once it is out."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    checked = models.ForeignKey(Check, on_delete=models.PROTECT, related_name="releases", db_column="check_id")
    outcome = models.CharField(max_length=8, choices=ReleaseOutcome)
    output = models.TextField(null=True, help_text="The text that goes out; null when blocked.")
    statement = models.TextField(blank=True, help_text="Statement of reasons.")
    decision_id = models.UUIDField(unique=True, help_text="The review decision, one release each.")
    decided_by = models.CharField(max_length=150)
    decided_at = models.DateTimeField()
    waits_until = models.DateTimeField(null=True, help_text="Until then it can be withdrawn; null once it is out.")

    class Meta:
        ordering = ["-decided_at", "-id"]
        indexes = [
            models.Index(fields=["waits_until"], name="release_waiting", condition=models.Q(waits_until__isnull=False)),
        ]
