"""The fixed cast and small makers; each goes through the real services."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.utils import timezone

from policies.models import PolicyVersion
from policies.services import add_policy_version
from webapp.accounts.models import Application, Project, Role, User
from webapp.accounts.services import add_member, create_api_key, create_application, create_project
from webapp.interception.models import Check, CheckContent, Finding
from webapp.interception.signals import check_flagged

POLICY = """
name: support-bot
deadline_ms: 60000
rules:
  - id: moderation
    detector: moderation
    categories:
      harassment: {flag: 0.5, hold: 0.8, block: 0.95}
      violence: {flag: 0.5, hold: 0.8}
  - id: pii
    detector: pii
    entities: {EMAIL_ADDRESS: redact, PHONE_NUMBER: mask, CREDIT_CARD: hash}
"""


@dataclass
class Cast:
    """A project with one person in each role, and an outsider who owns another project."""

    project: Project
    owner: User
    lead: User
    reviewer: User
    compliance: User
    outsider: User
    other_project: Project
    application: Application
    policy_version: PolicyVersion
    api_key: str


def make_cast() -> Cast:
    project = create_project(slug="acme", name="Acme")
    other = create_project(slug="other", name="Other")
    people = {role: make_user(f"{role}") for role in ("owner", "lead", "reviewer", "compliance")}
    for role, user in people.items():
        add_member(project=project, user=user, role=Role(role))
    outsider = make_user("outsider")
    add_member(project=other, user=outsider, role=Role.OWNER)
    version = add_policy_version(project=project, document=POLICY)
    project.default_policy = version.policy.name
    project.random_review_rate = 0.0  # nobody's luck decides a test
    project.save(update_fields=["default_policy", "random_review_rate"])
    application = create_application(project=project, name="assistant")
    _, secret = create_api_key(application=application)
    return Cast(
        project=project,
        outsider=outsider,
        other_project=other,
        application=application,
        policy_version=version,
        api_key=secret,
        **people,
    )


def make_user(name: str) -> User:
    return User.objects.create_user(username=name, password=f"{name}-pass-phrase")


def make_check(
    cast: Cast,
    *,
    output: str = "You can reach Ann at ann@example.com, idiot.",
    verdict: str = "hold",
    flagged: bool = True,
    messages: list[dict[str, Any]] | None = None,
    findings: list[dict[str, Any]] | None = None,
    conversation_id: str = "",
    review: str = "held",
    inclusion_prob: float = 1.0,
) -> Check:
    """Store a concluded check as interception does, and tell review about it (`review`: a trigger kind or "")."""
    now = timezone.now()
    check = Check.objects.create(
        project=cast.project,
        application=cast.application,
        policy_version=cast.policy_version,
        state="concluded",
        verdict=verdict,
        flagged=flagged,
        scores={"harassment": 0.85, "violence": 0.1},
        model_version="fake",
        conversation_id=conversation_id,
        request_sha256="0" * 64,
        deadline_ms=2000,
        inclusion_prob=inclusion_prob,
        created_at=now,
        concluded_at=now,
    )
    CheckContent.objects.create(
        checked=check,
        output=output,
        released=None if verdict in ("hold", "block") else output,
        messages=messages or [{"role": "user", "content": "How do I reach Ann?"}],
    )
    if findings is None:
        findings = [
            {
                "rule": "moderation",
                "detector": "moderation",
                "category": "harassment",
                "score": 0.85,
                "threshold": 0.8,
                "action": "hold",
                "model": "fake",
            }
        ]
        at = output.find("ann@example.com")
        if at >= 0:
            findings.append(
                {
                    "rule": "pii",
                    "detector": "pii",
                    "category": "EMAIL_ADDRESS",
                    "score": 1.0,
                    "action": "redact",
                    "start": at,
                    "end": at + 15,
                }
            )
    Finding.objects.bulk_create(Finding(checked=check, **{"target": "output", **f}) for f in findings)
    if review:
        check_flagged.send(sender=Check, check=check, kind=review, inclusion_prob=inclusion_prob)
    return check
