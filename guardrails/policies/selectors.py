"""Find policies; always within one project."""

from __future__ import annotations

import uuid
from functools import lru_cache

from policies.models import Policy, PolicyVersion
from webapp.accounts.models import Project
from webapp.prepared import prepared_cursor


class NoSuchPolicy(LookupError):
    """The project has no active policy of that name."""


def active_version(project: Project, name: str | None) -> PolicyVersion:
    """Return the active version of the named policy, or of the project's default one. Raises NoSuchPolicy.

    Which one is active is asked anew for each request, by statements that are written out because every check runs
    them: the one here, or that which found the caller.
    """
    wanted = name or project.default_policy
    if wanted == project.default_policy and project.default_version_id is not None:
        return _version(project.default_version_id)
    with prepared_cursor() as cursor:
        cursor.execute(_ACTIVE, [project.id, wanted])
        row = cursor.fetchone()
    if row is None or row[0] is None:
        raise NoSuchPolicy(wanted)
    return _version(row[0])


def policy_names(project: Project) -> list[str]:
    return list(Policy.objects.filter(project=project).order_by("name").values_list("name", flat=True))


_ACTIVE = f'SELECT active_version_id FROM "{Policy._meta.db_table}" WHERE project_id = %s AND name = %s'  # noqa: S608


@lru_cache(maxsize=256)
def _version(key: uuid.UUID) -> PolicyVersion:
    """Return a version by its key; kept, because versions never change."""
    return PolicyVersion.objects.select_related("policy").get(pk=key)
