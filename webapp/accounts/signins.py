"""Put sign-ins and new passwords into the audit log: into the log of every project that the person is a member of.

A refused sign-in names no one but the account it was tried on, and nothing when there is no such account.
"""

from __future__ import annotations

import uuid
from typing import Any

from django.contrib.auth.signals import user_logged_in, user_login_failed
from django.db import transaction

from webapp.accounts.models import User
from webapp.accounts.selectors import find_user
from webapp.audit.log import Actor, EventObject, record_event


def connect() -> None:
    user_logged_in.connect(record_success, dispatch_uid="accounts.signins")
    user_login_failed.connect(record_failure, dispatch_uid="accounts.signins")


@transaction.atomic
def record_success(*, user: User, **kwargs: Any) -> None:
    for project_id, role in _projects(user):
        record_event(
            type="signin.succeeded",
            project_id=project_id,
            actor=Actor(kind="user", ref=str(user.id), role=role, auth="password"),
            object=EventObject("user", user.id),
        )


@transaction.atomic
def record_failure(*, credentials: dict[str, Any], **kwargs: Any) -> None:
    """Write what was tried on, not what was typed: a password typed into the name's field must not end up here."""
    name = credentials.get("username")
    user = find_user(name) if isinstance(name, str) else None
    for project_id, _ in _projects(user) if user else [(None, "")]:
        record_event(
            type="signin.failed",
            project_id=project_id,
            actor=Actor(kind="anonymous", ref=""),
            object=EventObject("user", user.id if user else ""),
        )


def record_password_change(user: User, *, actor: Actor | None = None) -> None:
    """Record that somebody has a new password; `actor`: who gave it, when it was not they themselves."""
    for project_id, role in _projects(user):
        record_event(
            type="password.changed",
            project_id=project_id,
            actor=actor or Actor(kind="user", ref=str(user.id), role=role, auth="session"),
            object=EventObject("user", user.id),
        )


def _projects(user: User) -> list[tuple[uuid.UUID | None, str]]:
    """Return (project, role) of each membership; one without a project for a person who has none."""
    return [*user.memberships.values_list("project_id", "role")] or [(None, "")]
