"""Store and activate policy versions."""

from __future__ import annotations

from django.db import transaction

from policies.models import Policy, PolicyVersion
from screening.policy import parse_policy
from webapp.accounts.models import Project, User
from webapp.accounts.services import SYSTEM
from webapp.audit.log import Actor, EventObject, PolicyRef, record_event


@transaction.atomic
def add_policy_version(
    *, project: Project, document: str, created_by: User | None = None, actor: Actor = SYSTEM
) -> PolicyVersion:
    """Store `document` as the next version of the policy that it names, and return it.

    The same meaning as the newest version (equal hash) returns that version and stores nothing. The first version of
    a policy is active at once. Raises screening.policy.PolicyError.
    """
    parsed = parse_policy(document)
    policy, _ = Policy.objects.select_for_update().get_or_create(project=project, name=parsed.name)
    newest = policy.versions.first()
    if newest is not None and newest.sha256 == parsed.sha256:
        return newest
    version = PolicyVersion.objects.create(
        policy=policy,
        version=newest.version + 1 if newest else 1,
        document=document,
        canonical=parsed.canonical,
        sha256=parsed.sha256,
        created_by=created_by,
    )
    record_event(
        type="policy.version.created",
        project_id=project.id,
        actor=actor,
        object=EventObject("policy_version", version.id),
        policy=policy_ref(version),
    )
    if policy.active_version_id is None:
        activate(version=version, actor=actor)
    return version


@transaction.atomic
def activate(*, version: PolicyVersion, actor: Actor = SYSTEM) -> None:
    """Make `version` the one that new checks use; activating the active one changes nothing."""
    policy = Policy.objects.select_for_update().get(pk=version.policy_id)
    if policy.active_version_id == version.id:
        return
    policy.active_version = version
    policy.save(update_fields=["active_version"])
    record_event(
        type="policy.activated",
        project_id=policy.project_id,
        actor=actor,
        object=EventObject("policy_version", version.id),
        policy=policy_ref(version),
    )


def policy_ref(version: PolicyVersion) -> PolicyRef:
    return PolicyRef(id=version.policy.name, version=version.version, sha256=version.sha256)
