"""Appeals: somebody outside contests what was decided of a check."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy

from review.models.decisions import Decision
from review.models.items import ReviewItem
from webapp.accounts.models import Application, Project
from webapp.ids import public_id, uuid7
from webapp.interception.models import Check


class Appellant(models.TextChoices):
    APPLICATION = "application", "the application"
    END_USER = "end_user", "an end user"


class AppealOutcome(models.TextChoices):
    UPHELD = "upheld", gettext_lazy("Upheld")
    REVERSED = "reversed", gettext_lazy("Reversed")


class Appeal(models.Model):
    """What was contested, and what came of it. A decision is contested once; what an appeal decided is final."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    project = models.ForeignKey(Project, on_delete=models.PROTECT, related_name="appeals")
    checked = models.ForeignKey(Check, on_delete=models.PROTECT, related_name="appeals", db_column="check_id")
    application = models.ForeignKey(Application, on_delete=models.PROTECT, related_name="+")
    by = models.CharField(max_length=12, choices=Appellant)
    idempotency_key = models.CharField(max_length=255, null=True)
    item = models.ForeignKey(ReviewItem, on_delete=models.PROTECT, related_name="appeals")
    cycle = models.PositiveSmallIntegerField(help_text="The cycle of the item that decides it.")
    contested = models.OneToOneField(
        Decision,
        on_delete=models.PROTECT,
        null=True,
        related_name="contested_by",
        help_text="Null: the machine's verdict.",
    )
    contested_outcome = models.CharField(max_length=8, help_text="released, redacted, replaced, blocked or held")
    outcome = models.CharField(max_length=8, choices=AppealOutcome, blank=True, help_text="Empty while it is pending.")
    decision = models.OneToOneField(Decision, on_delete=models.PROTECT, null=True, related_name="appeal")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["application", "idempotency_key"], name="appeal_idempotency_key"),
            models.UniqueConstraint(fields=["item", "cycle"], name="one_appeal_per_cycle"),
            models.UniqueConstraint(
                fields=["checked"], condition=Q(contested=None), name="one_appeal_of_a_machine_verdict"
            ),
            models.CheckConstraint(
                condition=Q(outcome="", decision=None) | (~Q(outcome="") & Q(decision__isnull=False)),
                name="appeal_outcome_with_decision",
            ),
        ]
        indexes = [
            models.Index(fields=["project", "-created_at"], name="appeal_project_created"),
            models.Index(fields=["project"], name="appeal_pending", condition=Q(outcome="")),
        ]

    @property
    def public_id(self) -> str:
        return public_id("apl", self.id)

    @property
    def state(self) -> str:
        """Return "pending", "upheld" or "reversed"; pending as long as the decision can be taken back."""
        told = self.decision is not None and not self.decision.seconds_to_undo()
        return self.outcome if told else "pending"


class AppealText(models.Model):
    """What the appellant wrote, apart from the appeal, so that it can be erased while the record stays."""

    appeal = models.OneToOneField(Appeal, on_delete=models.CASCADE, primary_key=True, related_name="text")
    reason = models.TextField()
    end_user = models.CharField(max_length=200, blank=True, help_text="The application's own reference.")
