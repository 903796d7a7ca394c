"""Reviewers at work: small steps through the real services."""

from __future__ import annotations

import datetime as dt
import json
import uuid
from typing import Any

from django.utils import timezone

from review.models import Assignment, Decision, Queue, ReviewItem
from review.services import Answer, Submitted, claim_items, ensure_default_queue, submit_annotation
from review.services.comments import Commented, add_comment
from tests.factories import Cast, make_check, make_user
from webapp.accounts.models import Membership, Role, User
from webapp.accounts.services import add_member
from webapp.audit.models import AuditEvent
from webapp.interception.models import Release


def new_item(cast: Cast, **check: Any) -> ReviewItem:
    return ReviewItem.objects.get(checked=make_check(cast, **check))


def queue_of(cast: Cast, **settings: Any) -> Queue:
    """Return the default queue with `settings` changed."""
    queue = ensure_default_queue(project=cast.project)
    for name, value in settings.items():
        setattr(queue, name, value)
    queue.save()
    return queue


def member(cast: Cast, user: User) -> Membership:
    return Membership.objects.select_related("project", "user").get(project=cast.project, user=user)


def another(cast: Cast, name: str, role: Role = Role.REVIEWER) -> Membership:
    return add_member(project=cast.project, user=make_user(name), role=role)


def claim_one(cast: Cast, who: Membership) -> Assignment:
    [slot] = claim_items(queue=queue_of(cast), membership=who, k=1)
    return slot


def answer(slot: Assignment, who: Membership, outcome: str = "release", **fields: Any) -> Submitted:
    """Submit with the token that `slot` had when it was claimed."""
    key = fields.pop("key", None) or uuid.uuid4()
    version = fields.pop("version", None) or slot.item.version
    assert slot.lease_token is not None
    return submit_annotation(
        slot=slot,
        membership=who,
        lease_token=slot.lease_token,
        item_version=version,
        idempotency_key=key,
        answer=Answer(outcome=outcome, **fields),
    )


def run_out(slot: Assignment) -> None:
    """Let the lease of `slot` end."""
    Assignment.objects.filter(pk=slot.pk).update(lease_expires_at=timezone.now() - dt.timedelta(seconds=1))


def effects_now(decision: Decision) -> None:
    """Let the time end in which `decision` could be taken back."""
    past = timezone.now() - dt.timedelta(seconds=1)
    Decision.objects.filter(pk=decision.pk).update(waits_until=past)
    Release.objects.filter(decision_id=decision.pk).update(waits_until=past)
    ReviewItem.objects.filter(pk=decision.item_id).update(decided_at=past)


def events(type: str) -> list[dict[str, Any]]:
    stored = AuditEvent.objects.filter(type=type).order_by("ts")
    return [json.loads(bytes(event.envelope)) for event in stored]


def say(item: ReviewItem, who: Membership, text: str = "Odd.", **details: Any) -> Commented:
    """Comment on an item."""
    return add_comment(item=item, membership=who, key=details.pop("key", uuid.uuid4()), text=text, **details)
