"""A project that can be used at once: the shipped policies, a queue, an owner."""

from __future__ import annotations

from django.db import transaction

from policies.models import Policy
from policies.services import add_policy_version
from review.services import ensure_default_queue
from screening.packs import PACKS, read_pack
from webapp.accounts.models import Project, Role
from webapp.accounts.selectors import find_user
from webapp.accounts.services import SYSTEM, add_member, create_member, create_project

DEFAULT_POLICY = "support-bot"


@transaction.atomic
def new_project(*, slug: str, name: str, owner: str) -> tuple[Project, str]:
    """Make a project that `owner` owns; return it and the owner's password, "" when they had an account before.

    `slug` must not be taken.
    """
    project = create_project(slug=slug, name=name)
    furnish(project)
    user = find_user(owner)
    if user is not None:
        add_member(project=project, user=user, role=Role.OWNER)
        return project, ""
    _, password = create_member(project=project, username=owner, role=Role.OWNER, actor=SYSTEM)
    return project, password


def furnish(project: Project) -> None:
    """Give `project` what it lacks of the shipped policies and a queue; what people changed stays as they left it."""
    if not project.default_policy:
        project.default_policy = DEFAULT_POLICY
        project.save(update_fields=["default_policy"])
    for name in PACKS:
        if not Policy.objects.filter(project=project, name=name).exists():
            add_policy_version(project=project, document=read_pack(name))
    ensure_default_queue(project=project)
