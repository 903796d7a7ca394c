"""What reviewers set for themselves."""

from __future__ import annotations

from collections.abc import Mapping
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
def save_wellness(*, membership: Membership, settings: Mapping[str, Any]) -> None:
    """Set how the project goes easy on its reviewers, and record it."""
    WellnessSettings.objects.update_or_create(project=membership.project, defaults=dict(settings))
    record_event(
        type="review.wellness.changed",
        project_id=membership.project_id,
        actor=user_actor(membership.user, membership.role),
        object=EventObject("project", membership.project_id),
        reason_codes=[f"{name}:{slugify(str(value))}" for name, value in sorted(settings.items())],
    )
