"""What reviewers set for themselves."""

from __future__ import annotations

from collections.abc import Mapping

from django.db import transaction

from review.keys import COMMANDS
from review.models import ReviewerProfile
from webapp.accounts.models import Membership


@transaction.atomic
def save_keys(*, membership: Membership, keys: Mapping[str, str]) -> None:
    """Give the commands of the console these keys for the member; none for the usual ones."""
    usual = {command.name: command.key for command in COMMANDS}
    changed = {name: key for name, key in keys.items() if usual[name] != key}
    ReviewerProfile.objects.update_or_create(membership=membership, defaults={"keys": changed})
