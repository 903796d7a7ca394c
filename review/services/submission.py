"""Take in what reviewers answer. Work is never lost: what can not count any more is kept beside."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from django.db import transaction
from django.utils.translation import gettext, gettext_noop

from review.blind import assistance_of
from review.errors import InvalidAnswer, ItemChanged, SlotLost
from review.models import Annotation, Assignment, Decision, ReviewItem
from review.models.annotations import AnnotationVerdict, Outcome
from review.models.items import OPEN_STATES, SlotState
from review.services.answers import store_answer, validate_answer
from review.services.claims import LIVE_STATES, lock_reviewer, may_adjudicate
from review.services.decisions import require_outcome, settle
from review.services.exposure import Effort, record_exposure
from review.spans import MarkedSpan
from webapp.accounts.models import Membership
from webapp.accounts.services import user_actor
from webapp.audit.log import EventObject, EventOutcome, record_event

#: Answers of one reviewer to one item that are kept though they do not count.
KEPT_EACH = 20
RETAKEN = gettext_noop("Somebody else has this item now. Your answer is kept, but it does not count.")
UNDONE = gettext_noop("You took this answer back.")
DECIDED = gettext_noop("This item was already decided. Your answer is kept, but it does not count.")


@dataclass(frozen=True, slots=True)
class Answer:
    """What a reviewer says of an item. `outcome` "" means unsure; `correction` belongs to replace.

    `spans` are places that the reviewer moved, renamed or found. `snippets` are sentences of the label schema; they
    stand before the `note`. `reasons` are ids of rules of the policy; a `statement` that is empty is composed.
    `preference` is one of review.candidates.PREFERENCES. For `gravest` see Effort.
    """

    outcome: str
    findings: Mapping[int, bool] = field(default_factory=dict)
    spans: Sequence[MarkedSpan] = ()
    labels: Mapping[str, bool] = field(default_factory=dict)
    rubric: Mapping[str, int] = field(default_factory=dict)
    snippets: Sequence[str] = ()
    reasons: Sequence[str] = ()
    note: str = ""
    statement: str = ""
    correction: str | None = None
    preference: str = ""
    active_ms: int | None = None
    keystrokes: int | None = None
    seen_ms: int | None = None
    gravest: int = 0

    @property
    def verdict(self) -> AnnotationVerdict:
        if not self.outcome:
            return AnnotationVerdict.UNSURE
        found = self.outcome != Outcome.RELEASE or any(self.labels.values())
        return AnnotationVerdict.VIOLATES if found else AnnotationVerdict.FINE


@dataclass(frozen=True, slots=True)
class Submitted:
    """What became of an answer. `message` says why it does not count; "" when it does."""

    annotation: Annotation
    decision: Decision | None = None
    message: str = ""


@transaction.atomic
def submit_annotation(
    *,
    slot: Assignment,
    membership: Membership,
    lease_token: uuid.UUID,
    item_version: int,
    idempotency_key: uuid.UUID,
    answer: Answer,
) -> Submitted:
    """Store an answer and settle the item; the same `idempotency_key` again returns what was stored.

    A lease that ran out does not matter while nobody else took the slot. When somebody did, or the item was decided
    elsewhere, the answer is stored without counting and the message says so; of one reviewer and item that is done
    KEPT_EACH times. Raises InvalidAnswer, ItemChanged and SlotLost, and stores nothing then.
    """
    lock_reviewer(membership.user_id)
    stored = Annotation.objects.filter(idempotency_key=idempotency_key).select_related("item").first()
    if stored is not None:
        return _again(stored, slot, membership)
    whole = ReviewItem.objects.select_related(
        "queue__label_schema", "checked__content", "checked__policy_version__policy"
    )
    item = whole.lock(slot.item_id)
    slot = Assignment.objects.select_for_update().get(id=slot.id)
    slot.item = item
    if not may_adjudicate(slot, membership):
        raise SlotLost(gettext("Only a lead or an owner decides this item now."))
    assistance = assistance_of(item=item, user=membership.user)
    checked = validate_answer(item=item, answer=answer, assistance=assistance)
    require_outcome(outcome=answer.outcome, slot=slot)
    message = _why_not_counting(item, slot, membership, lease_token)
    if message:
        _require_room(item, membership)
    elif item.version != item_version:
        raise ItemChanged(
            gettext("Something new was found in this item while you looked at it. Look again, then submit.")
        )
    annotation = store_answer(
        item=item,
        slot=slot,
        reviewer=membership.user,
        answer=answer,
        checked=checked,
        counts=not message,
        assistance=assistance,
        idempotency_key=idempotency_key,
    )
    _record(annotation, membership)
    effort = Effort(answer.active_ms, answer.seen_ms, answer.gravest)
    record_exposure(slot=slot, membership=membership, lease=lease_token, effort=effort)
    if message:
        return Submitted(annotation, message=message)
    slot.state = SlotState.SUBMITTED
    slot.lease_owner = membership.user
    slot.lease_expires_at = None
    slot.held_until = None
    slot.save(update_fields=["state", "lease_owner", "lease_expires_at", "held_until"])
    decision = settle(item=item, slot=slot, annotation=annotation, membership=membership)
    return Submitted(annotation, decision=decision)


def _require_room(item: ReviewItem, membership: Membership) -> None:
    """Raise SlotLost when KEPT_EACH answers of the member to this item do not count: their texts stay for good."""
    kept = item.annotations.filter(reviewer=membership.user_id, counts=False, undone_at=None)
    if kept.order_by()[KEPT_EACH - 1 : KEPT_EACH].exists():
        raise SlotLost(
            gettext(
                "You sent %(most)s answers to this item that do not count. They are kept; more of them are not stored."
            )
            % {"most": KEPT_EACH}
        )


def _again(stored: Annotation, slot: Assignment, membership: Membership) -> Submitted:
    if stored.reviewer_id != membership.user_id or stored.assignment_id != slot.id:
        raise InvalidAnswer(
            gettext("This submission number was used for another answer. Reload the page and submit again.")
        )
    if stored.undone_at is not None:
        return Submitted(stored, message=gettext(UNDONE))
    decision = stored.item.decisions.standing().filter(cycle=stored.cycle).first() if stored.counts else None
    return Submitted(stored, decision=decision, message="" if stored.counts else gettext(RETAKEN))


def _why_not_counting(item: ReviewItem, slot: Assignment, membership: Membership, lease_token: uuid.UUID) -> str:
    if item.state not in OPEN_STATES:
        return gettext(DECIDED)
    mine = slot.lease_owner_id == membership.user_id
    if slot.state in (SlotState.LEASED, SlotState.HELD) and mine:
        return ""  # perhaps leased again, or held, in another tab: it is still their answer, and the first one counts
    others = item.assignments.filter(lease_owner_id=membership.user_id, state__in=LIVE_STATES).exclude(id=slot.id)
    if slot.state == SlotState.OPEN and mine and slot.lease_token == lease_token and not others.exists():
        return ""
    return gettext(RETAKEN)


def _record(annotation: Annotation, membership: Membership) -> None:
    record_event(
        type="review.golden.answered" if annotation.item.golden_id else "review.annotation.submitted",
        project_id=annotation.item.project_id,
        actor=user_actor(membership.user, membership.role),
        object=EventObject("review_item", annotation.item_id),
        outcome=EventOutcome(decision=annotation.outcome or "unsure", automated=False),
        reason_codes=[
            f"verdict:{annotation.verdict}",
            f"counts:{str(annotation.counts).lower()}",
            *(f"rule:{name}" for name in annotation.reasons),
            *(["statement:edited"] if annotation.statement_edited else []),
        ],
        cause=[f"annotation:{annotation.id}"],
    )
