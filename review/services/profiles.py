"""What reviewers set for themselves."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from django.db import transaction
from django.utils.text import slugify

from review.keys import COMMANDS
from review.models import ReviewerProfile, WellnessSettings
from webapp.accounts.models import Membership
from webapp.accounts.services import user_actor
from webapp.audit.log import EventObject, record_event


@transaction.atomic
def save_keys(*, membership: Membership, keys: Mapping[str, str]) -> None:
    """Give the commands of the console these keys for the member; none for the usual ones."""
    usual = {command.name: command.key for command in COMMANDS}
    changed = {name: key for name, key in keys.items() if usual[name] != key}
    ReviewerProfile.objects.update_or_create(membership=membership, defaults={"keys": changed})


@transaction.atomic
def save_comfort(*, membership: Membership, settings: Mapping[str, Any]) -> None:
    """Keep how texts are shown to the member: `cover_from`, `look`, `toggles`."""
    ReviewerProfile.objects.update_or_create(membership=membership, defaults=dict(settings))


@transaction.atomic
def save_wishes(*, membership: Membership, opted_out: Sequence[str], languages: Sequence[str]) -> None:
    """Keep which categories the member never gets and which languages they read; what they have stays theirs."""
    wishes = {"opted_out": list(opted_out), "languages": list(languages)}
    ReviewerProfile.objects.update_or_create(membership=membership, defaults=wishes)


@transaction.atomic
def save_skills(*, reviewer: Membership, skills: Sequence[str], membership: Membership) -> None:
    """Say what a reviewer can, which decides of which queues they get items, and record it."""
    ReviewerProfile.objects.update_or_create(membership=reviewer, defaults={"skills": list(skills)})
    record_event(
        type="review.reviewer.changed",
        project_id=membership.project_id,
        actor=user_actor(membership.user, membership.role),
        object=EventObject("user", reviewer.user_id),
        counts={"skills": len(skills)},
    )


@transaction.atomic
def save_wellness(*, membership: Membership, settings: Mapping[str, Any]) -> None:
    """Set how the project goes easy on its reviewers, and record it."""
    WellnessSettings.objects.update_or_create(project=membership.project, defaults=dict(settings))
    record_event(
        type="review.wellness.changed",
        project_id=membership.project_id,
        actor=user_actor(membership.user, membership.role),
        object=EventObject("project", membership.project_id),
        reason_codes=[f"{name}:{slugify(str(value))[:100]}" for name, value in sorted(settings.items())],
    )
