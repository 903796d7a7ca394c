"""Changes of projects, members, applications and keys; each writes its audit event in the same transaction."""

from __future__ import annotations

import hashlib
import secrets

from django.db import IntegrityError, transaction
from django.utils import timezone

from webapp.accounts.models import ApiKey, Application, Membership, Project, Role, User
from webapp.audit.log import Actor, EventObject, record_event

KEY_PREFIX = "csk_"
#: What `change_settings` may change.
SETTINGS = ("default_policy", "name", "random_review_rate", "requests_per_minute")


class AccountsError(Exception):
    """Root of this room's errors.

    AccountsError
    ├── LastOwner   a project would be left without an owner
    └── NameTaken   another account or application has the name
    """


class LastOwner(AccountsError):
    pass


class NameTaken(AccountsError):
    pass


def user_actor(user: User, role: str = "") -> Actor:
    """Return the audit actor for a person: the user's id, never the name."""
    return Actor(kind="user", ref=str(user.id), role=role, auth="session")


SYSTEM = Actor(kind="system", ref="countersign", role="", auth="local")


@transaction.atomic
def create_project(*, slug: str, name: str, actor: Actor = SYSTEM) -> Project:
    project = Project.objects.create(slug=slug, name=name)
    record_event(type="project.created", project_id=project.id, actor=actor, object=EventObject("project", project.id))
    return project


@transaction.atomic
def change_settings(*, project: Project, changes: dict[str, str | float | int], actor: Actor) -> list[str]:
    """Set the fields in `changes` (SETTINGS) and return the names of those that differ from before."""
    current = Project.objects.select_for_update().get(pk=project.pk)
    changed = sorted(name for name in SETTINGS if name in changes and getattr(current, name) != changes[name])
    if not changed:
        return []
    for name in changed:
        setattr(current, name, changes[name])
        setattr(project, name, changes[name])
    current.save(update_fields=changed)
    record_event(
        type="project.settings.changed",
        project_id=project.id,
        actor=actor,
        object=EventObject("project", project.id),
        reason_codes=[f"field:{name}" for name in changed],
    )
    return changed


@transaction.atomic
def add_member(*, project: Project, user: User, role: Role, actor: Actor = SYSTEM) -> Membership:
    """Give `user` a role in the project, or change the one they have; raise LastOwner."""
    membership, created = Membership.objects.get_or_create(project=project, user=user, defaults={"role": role})
    if created:
        _record_role(membership, actor, [f"role:{role}"])
    else:
        set_role(membership=membership, role=role, actor=actor)
    return membership


@transaction.atomic
def create_member(*, project: Project, username: str, role: Role, actor: Actor) -> tuple[Membership, str]:
    """Make an account and a membership; return the membership and the password, which can not be had again.

    Raises NameTaken.
    """
    password = secrets.token_urlsafe(12)
    try:
        with transaction.atomic():
            user = User.objects.create_user(username=username, password=password)
    except IntegrityError:
        raise NameTaken from None
    return add_member(project=project, user=user, role=role, actor=actor), password


@transaction.atomic
def set_role(*, membership: Membership, role: Role, actor: Actor) -> None:
    """Change a member's role; the same role again changes nothing. Raises LastOwner."""
    previous = _locked_role(membership)
    if previous == role:
        return
    if previous == Role.OWNER:
        _require_another_owner(membership)
    membership.role = role
    membership.save(update_fields=["role"])
    _record_role(membership, actor, [f"role:{role}", f"was:{previous}"])


@transaction.atomic
def remove_member(*, membership: Membership, actor: Actor) -> None:
    """Take a person's access to the project away at once; their account stays. Raises LastOwner."""
    previous = _locked_role(membership)
    if previous == Role.OWNER:
        _require_another_owner(membership)
    user_id = membership.user_id
    project_id = membership.project_id
    membership.delete()
    record_event(
        type="member.removed",
        project_id=project_id,
        actor=actor,
        object=EventObject("user", user_id),
        reason_codes=[f"was:{previous}"],
    )


def _locked_role(membership: Membership) -> str:
    """Lock the project, so that two owners can not demote each other at once, and return the role as it is now."""
    Project.objects.select_for_update().get(pk=membership.project_id)
    return Membership.objects.values_list("role", flat=True).get(pk=membership.pk)


def _require_another_owner(membership: Membership) -> None:
    owners = Membership.objects.filter(project_id=membership.project_id, role=Role.OWNER)
    if not owners.exclude(pk=membership.pk).exists():
        raise LastOwner


def _record_role(membership: Membership, actor: Actor, codes: list[str]) -> None:
    record_event(
        type="member.role.set",
        project_id=membership.project_id,
        actor=actor,
        object=EventObject("user", membership.user_id),
        reason_codes=codes,
    )


@transaction.atomic
def create_application(*, project: Project, name: str, actor: Actor = SYSTEM) -> Application:
    """Register a client of the API; raise NameTaken."""
    try:
        with transaction.atomic():
            application = Application.objects.create(project=project, name=name)
    except IntegrityError:
        raise NameTaken from None
    record_event(
        type="application.created",
        project_id=project.id,
        actor=actor,
        object=EventObject("application", application.id),
    )
    return application


@transaction.atomic
def create_api_key(
    *, application: Application, created_by: User | None = None, actor: Actor = SYSTEM
) -> tuple[ApiKey, str]:
    """Return the stored key and its secret; the secret can not be had again."""
    secret = KEY_PREFIX + secrets.token_urlsafe(32)
    key = ApiKey.objects.create(
        application=application, prefix=secret[:12], sha256=key_digest(secret), created_by=created_by
    )
    record_event(
        type="key.created", project_id=application.project_id, actor=actor, object=EventObject("api_key", key.id)
    )
    return key, secret


@transaction.atomic
def revoke_api_key(*, key: ApiKey, actor: Actor) -> None:
    """Revoke at once; revoking twice changes nothing."""
    changed = ApiKey.objects.filter(pk=key.pk, revoked_at=None).update(revoked_at=timezone.now())
    if changed:
        record_event(
            type="key.revoked",
            project_id=key.application.project_id,
            actor=actor,
            object=EventObject("api_key", key.id),
        )


def key_digest(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()
