"""The demo project: policies, one application with a key, one person in each role."""

import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.db import transaction

from webapp.accounts.models import ApiKey, Application, Project, Role, User
from webapp.accounts.selectors import find_user
from webapp.accounts.services import add_member, create_api_key, create_application, create_project, key_digest
from webapp.local.home import write_private_json
from webapp.local.projects import furnish

SLUG = "demo"
APPLICATION = "support-assistant"


@dataclass(frozen=True)
class Demo:
    """What a start left behind; `news` says what a reader must know, "" when nothing changed."""

    facts: Mapping[str, Any]
    news: str


def ensure_demo(*, facts_file: Path, url: str) -> Demo:
    """Make what is missing of the demo project and keep `facts_file` (url, api_key, users) true.

    Secrets are made once. They cannot be read back from the database, so when the file is lost, or belongs to another
    database, a new key and new passwords are made.
    """
    known = _read(facts_file)
    with transaction.atomic():
        project, created = _project()
        if known is not None and _key_works(project, str(known["api_key"])):
            facts, news = {**known, "url": url}, ""
        else:
            facts = {"url": url, "api_key": _new_key(project), "users": _people(project)}
            news = "" if created else f"{facts_file} was lost: made a new API key and new passwords"
    # After the commit: a crash in between counts as a lost file.
    if facts != known:
        write_private_json(facts_file, facts)
    return Demo(facts, news)


def _read(facts_file: Path) -> dict[str, Any] | None:
    try:
        facts = json.loads(facts_file.read_text())
        people = facts["users"].values()
        complete = bool(facts["api_key"]) and all(person["username"] and person["password"] for person in people)
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None
    return dict(facts) if complete else None


def _project() -> tuple[Project, bool]:
    project = Project.objects.filter(slug=SLUG).first()
    created = project is None
    if project is None:
        project = create_project(slug=SLUG, name="Demo")
    furnish(project)
    return project, created


def _key_works(project: Project, secret: str) -> bool:
    keys = ApiKey.objects.filter(application__project=project, revoked_at=None)
    return keys.filter(sha256=key_digest(secret)).exists()


def _new_key(project: Project) -> str:
    application = Application.objects.filter(project=project, name=APPLICATION).first()
    application = application or create_application(project=project, name=APPLICATION)
    _, secret = create_api_key(application=application)
    return secret


def _people(project: Project) -> dict[str, dict[str, str]]:
    people = {}
    for role in Role:
        password = secrets.token_urlsafe(12)
        user = _person(project, role)
        user.set_password(password)
        user.save()
        add_member(project=project, user=user, role=role)
        people[role.value] = {"username": user.username, "password": password}
    return people


def _person(project: Project, role: Role) -> User:
    """Return the person of a role: the one that the demo made before, else a new one under a name not yet taken."""
    names = (role.value, f"{SLUG}-{role.value}")
    for name in names:
        user = find_user(name)
        if user is None:
            return User(username=name)
        if user.memberships.filter(project=project, role=role).exists():
            return user
    return User(username=f"{SLUG}-{role.value}-{secrets.token_hex(3)}")
