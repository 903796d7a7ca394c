"""Find policies; always within one project."""

from __future__ import annotations

from django.db.models import F

from policies.models import Policy, PolicyVersion
from webapp.accounts.models import Project


class NoSuchPolicy(LookupError):
    """The project has no active policy of that name."""


def active_version(project: Project, name: str | None) -> PolicyVersion:
    """Return the active version of the named policy, or of the project's default one. Raises NoSuchPolicy."""
    wanted = name or project.default_policy
    version = (
        PolicyVersion.objects.filter(policy__project=project, policy__name=wanted, policy__active_version_id=F("id"))
        .select_related("policy")
        .first()
    )
    if version is None:
        raise NoSuchPolicy(wanted)
    return version


def policy_names(project: Project) -> list[str]:
    return list(Policy.objects.filter(project=project).order_by("name").values_list("name", flat=True))
