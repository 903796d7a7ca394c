"""Changes of projects, members, applications and keys; each writes its audit event in the same transaction."""

from __future__ import annotations

import hashlib
import secrets

from django.db import transaction
from django.utils import timezone

from webapp.accounts.models import ApiKey, Application, Membership, Project, Role, User
from webapp.audit.log import Actor, EventObject, record_event

KEY_PREFIX = "csk_"


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
def add_member(*, project: Project, user: User, role: Role, actor: Actor = SYSTEM) -> Membership:
    """Give `user` a role in the project, or change the one they have."""
    membership, _ = Membership.objects.update_or_create(project=project, user=user, defaults={"role": role})
    record_event(
        type="member.role.set",
        project_id=project.id,
        actor=actor,
        object=EventObject("user", user.id),
        reason_codes=[f"role:{role}"],
    )
    return membership


@transaction.atomic
def remove_member(*, membership: Membership, actor: Actor) -> None:
    user_id = membership.user_id
    project_id = membership.project_id
    membership.delete()
    record_event(type="member.removed", project_id=project_id, actor=actor, object=EventObject("user", user_id))


@transaction.atomic
def create_application(*, project: Project, name: str, actor: Actor = SYSTEM) -> Application:
    application = Application.objects.create(project=project, name=name)
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
