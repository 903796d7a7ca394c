"""Review items, the triggers that raised them, and their slots."""

from __future__ import annotations

import uuid
from typing import Self

from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy

from review.models.queues import Queue
from review.severity import NAMES as SEVERITY_NAMES
from webapp.accounts.models import Project, User
from webapp.ids import public_id, uuid7
from webapp.interception.models import Check


class ItemState(models.TextChoices):
    PENDING = "pending", gettext_lazy("Pending")
    IN_REVIEW = "in_review", gettext_lazy("In Review")
    ADJUDICATION = "adjudication", gettext_lazy("Adjudication")
    ESCALATED = "escalated", gettext_lazy("Escalated")
    DECIDED = "decided", gettext_lazy("Decided")
    REOPENED = "reopened", gettext_lazy("Reopened")
    CANCELLED = "cancelled", gettext_lazy("Cancelled")
    EXPIRED = "expired", gettext_lazy("Expired")


OPEN_STATES = (ItemState.PENDING, ItemState.IN_REVIEW, ItemState.ADJUDICATION, ItemState.ESCALATED, ItemState.REOPENED)


class ItemQuerySet(models.QuerySet["ReviewItem"]):
    def real(self) -> Self:
        """Leave out probes of golden items: nothing follows from them, and no figure counts them."""
        return self.filter(golden=None)

    def lock(self, key: uuid.UUID) -> ReviewItem:
        """Lock an item against other changes, though not against rows that refer to it, and return it as it is then."""
        # What moves to another queue while its lock is waited for falls out of a join with the queue: ask again.
        locked = self.select_for_update(no_key=True, of=("self",)).filter(pk=key)
        return locked.first() or locked.get()


class ReviewItem(models.Model):
    """A check in front of people. At most one open item per check and queue, beside a probe of a golden item."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    project = models.ForeignKey(Project, on_delete=models.PROTECT, related_name="review_items")
    checked = models.ForeignKey(Check, on_delete=models.PROTECT, related_name="review_items", db_column="check_id")
    queue = models.ForeignKey(Queue, on_delete=models.PROTECT, related_name="items")
    cycle = models.PositiveSmallIntegerField(default=1)
    state = models.CharField(max_length=12, choices=ItemState, default=ItemState.PENDING)
    severity = models.PositiveSmallIntegerField(default=0, help_text="0 none to 4 critical.")
    priority = models.FloatField(default=0.0, help_text="Higher first.")
    sla_due_at = models.DateTimeField()
    language = models.CharField(max_length=10, blank=True)
    cluster = models.UUIDField(null=True, help_text="The item that this one is a near-duplicate of, or itself.")
    similarity = models.FloatField(null=True, help_text="To that item, in [0, 1].")
    clustered_at = models.DateTimeField(null=True)
    version = models.PositiveIntegerField(default=1, help_text="Grows with every change that a reviewer must see.")
    escalation_note = models.TextField(blank=True, help_text="What the reviewer who escalated it told the leads.")
    created_at = models.DateTimeField(auto_now_add=True)
    decided_at = models.DateTimeField(null=True, help_text="When its decision takes effect; can lie ahead.")
    # What was drawn when it was raised, and with what probability. The database fills them in for older code.
    blind = models.BooleanField(default=False, db_default=False, help_text="Answered before the machine is seen.")
    blind_prob = models.FloatField(default=0.0, db_default=0.0)
    overlap = models.BooleanField(default=False, db_default=False, help_text="Answered by one more than required.")
    overlap_prob = models.FloatField(default=0.0, db_default=0.0)
    qa = models.BooleanField(default=False, db_default=False, help_text="Looked at again once it is decided.")
    qa_prob = models.FloatField(default=0.0, db_default=0.0)
    golden = models.ForeignKey(
        "review.GoldenItem",
        on_delete=models.PROTECT,
        null=True,
        related_name="probes",
        help_text="Set: a probe, which measures reviewers.",
    )

    objects = ItemQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["checked", "queue"],
                condition=Q(state__in=OPEN_STATES, golden=None),
                name="one_open_item_per_check_and_queue",
            ),
            models.UniqueConstraint(
                fields=["golden"],
                condition=Q(state__in=OPEN_STATES, golden__isnull=False),
                name="one_open_probe_of_a_golden_item",
            ),
        ]
        indexes = [
            models.Index(fields=["queue", "state", "-priority", "sla_due_at"], name="item_queue_order"),
            models.Index(fields=["project", "-decided_at"], name="item_project_decided"),
            models.Index(fields=["project", "-created_at", "-id"], name="item_project_created"),
            models.Index(
                fields=["cluster", "queue"],
                name="item_cluster",
                condition=Q(state__in=OPEN_STATES, cluster__isnull=False),
            ),
            models.Index(
                fields=["cluster", "queue", "-decided_at"],
                name="item_cluster_decided",
                condition=Q(state=ItemState.DECIDED, cluster__isnull=False),
            ),
            models.Index(
                fields=["id"], name="item_not_clustered", condition=Q(state__in=OPEN_STATES, cluster__isnull=True)
            ),
            models.Index(
                # All that the dashboard counts of what waits, so that it need not read the rows.
                fields=["project", "queue", "severity", "created_at", "sla_due_at", "state"],
                name="item_open",
                condition=Q(state__in=OPEN_STATES, golden=None),
            ),
            models.Index(
                fields=["project", "queue", "severity"],
                name="item_open_blind",
                condition=Q(state__in=OPEN_STATES, blind=True, cycle=1),
            ),
        ]

    @property
    def public_id(self) -> str:
        return public_id("rvw", self.id)

    @property
    def severity_name(self) -> str:
        return SEVERITY_NAMES[self.severity]

    @property
    def is_undoable(self) -> bool:
        """Whether its decision can still be taken back: then it may be before the same people again."""
        return self.decided_at is not None and self.decided_at > timezone.now()

    @property
    def is_blind_now(self) -> bool:
        """Whether somebody may still answer it blind; a decision that can be taken back ends nothing yet."""
        return self.blind and self.cycle == 1 and (self.state in OPEN_STATES or self.is_undoable)


class ItemTrigger(models.Model):
    """Why a check came to a queue; a second reason is one more row, never a second item."""

    item = models.ForeignKey(ReviewItem, on_delete=models.CASCADE, related_name="triggers")
    kind = models.CharField(max_length=12, help_text="held, flagged, compared, sampled, late, imported, appeal")
    inclusion_prob = models.FloatField(default=1.0)
    created_at = models.DateTimeField(auto_now_add=True)


class SlotRole(models.TextChoices):
    PRIMARY = "primary"
    OVERLAP = "overlap"
    ADJUDICATOR = "adjudicator"
    QA = "qa"
    APPEAL = "appeal"


class SlotState(models.TextChoices):
    OPEN = "open"
    LEASED = "leased"
    HELD = "held"
    RESERVED = "reserved"
    SUBMITTED = "submitted"
    VOID = "void"


class Assignment(models.Model):
    """One slot of an item. A live lease belongs to `lease_owner` for as long as `lease_token` is the newest."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    item = models.ForeignKey(ReviewItem, on_delete=models.CASCADE, related_name="assignments")
    slot_no = models.PositiveSmallIntegerField()
    role = models.CharField(max_length=12, choices=SlotRole, default=SlotRole.PRIMARY)
    state = models.CharField(max_length=10, choices=SlotState, default=SlotState.OPEN)
    assignee = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")
    lease_owner = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")
    lease_token = models.UUIDField(null=True)
    lease_expires_at = models.DateTimeField(null=True)
    held_until = models.DateTimeField(
        null=True, help_text="Until when it is kept for its holder, or for the assignee; then it is anybody's again."
    )
    hold_reason = models.CharField(max_length=200, blank=True, db_default="", help_text="For its holder and the leads.")
    opened_at = models.DateTimeField(null=True, help_text="When the texts first went to the holder of this lease.")
    shown_at = models.DateTimeField(null=True, help_text="When it came on the holder's screen; null while only ahead.")
    expired_at = models.DateTimeField(
        null=True, help_text="When a lease of this slot last ran out while it was on its holder's screen."
    )
    extra = models.BooleanField(
        default=False, db_default=False, help_text="Asked for because the answers before it did not agree."
    )
    # Copies of the item's, so that a claim reads one index.
    queue = models.ForeignKey(Queue, on_delete=models.PROTECT, related_name="+")
    priority = models.FloatField(default=0.0)
    sla_due_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["item", "slot_no"], name="one_slot_per_number"),
            models.UniqueConstraint(
                fields=["item", "lease_owner"],
                condition=Q(state__in=["leased", "held", "submitted"]),
                name="one_live_slot_of_an_item_per_person",
            ),
            models.CheckConstraint(
                condition=~Q(state="leased")
                | Q(lease_owner__isnull=False, lease_token__isnull=False, lease_expires_at__isnull=False),
                name="leased_slot_has_owner_token_and_end",
            ),
            models.CheckConstraint(
                condition=~Q(state="held") | Q(lease_token__isnull=False, held_until__isnull=False),
                name="held_slot_has_token_and_end",
            ),
        ]
        indexes = [
            models.Index(
                # Leased ones too: a claim takes expired leases without waiting for the sweep.
                fields=["queue", "-priority", "sla_due_at", "id"],
                name="slot_pool_order",
                condition=Q(state__in=["open", "leased"], assignee__isnull=True),
            ),
            models.Index(
                fields=["assignee", "queue", "-priority", "sla_due_at", "id"],
                name="slot_assigned_order",
                condition=Q(state__in=["open", "leased"], assignee__isnull=False),
            ),
            models.Index(fields=["lease_expires_at"], name="slot_lease_end", condition=Q(state="leased")),
            models.Index(fields=["lease_owner", "state"], name="slot_of_reviewer"),
            models.Index(
                fields=["queue", "sla_due_at", "id"],
                name="slot_qa",
                condition=Q(role="qa", state__in=["open", "leased"]),
            ),
            models.Index(fields=["queue", "held_until"], name="slot_held", condition=Q(state="held")),
            models.Index(fields=["queue", "expired_at"], name="slot_expired", condition=Q(expired_at__isnull=False)),
        ]


class Exclusion(models.Model):
    """This reviewer does not get this item (again)."""

    item = models.ForeignKey(ReviewItem, on_delete=models.CASCADE, related_name="exclusions")
    reviewer = models.ForeignKey(User, on_delete=models.CASCADE, related_name="+")
    why = models.CharField(max_length=20, help_text="skipped, decided_the_original, golden (knows its answer)")
    reason = models.CharField(max_length=200, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["item", "reviewer", "why"], name="one_exclusion_per_reason")]
        indexes = [models.Index(fields=["created_at"], name="exclusion_skipped", condition=Q(why="skipped"))]
