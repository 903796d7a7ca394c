"""Read checks; always within one project."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Any

from django.conf import settings
from django.db.models import Count, Q, QuerySet, prefetch_related_objects
from django.utils import timezone

from webapp.accounts.models import Project
from webapp.interception.models import Check, CheckState, Release, Verdict
from webapp.interception.releases import let_out_due, release_in_force
from webapp.interception.reviews import review_states
from webapp.interception.schemas import (
    CheckAnswer,
    DecisionAnswer,
    FindingAnswer,
    PolicyAnswer,
    ReviewAnswer,
    TimingsAnswer,
    UnscannedAnswer,
)

VERDICT_AFTER = {"released": "allow", "redacted": "redact", "replaced": "redact", "blocked": "block"}


def find_check(project: Project, key: uuid.UUID) -> Check | None:
    return (
        Check.objects.filter(project=project, pk=key)
        .select_related("content", "policy_version__policy", "project")
        .first()
    )


def answers(checks: list[Check]) -> list[CheckAnswer]:
    """Return what the API says of each check now, in order, in a fixed number of queries.

    What a check already has at hand is not read again: one that was stored a moment ago costs no query.
    """
    read = [check for check in checks if check.raised is None]
    prefetch_related_objects(read, "content", "policy_version__policy", "project", "findings", "releases")
    now = timezone.now()
    let_out_due(read, now=now)
    reviews = review_states([check.id for check in checks if check.raised is not False], now)
    return [_answer(check, reviews.get(check.id)) for check in checks]


def _answer(check: Check, review: tuple[str, str] | None) -> CheckAnswer:
    release = release_in_force(check)
    version = check.policy_version
    return CheckAnswer.model_validate(
        {
            "id": check.public_id,
            "state": check.state,
            "verdict": _verdict(check, release),
            "flagged": check.flagged,
            "output": release.output if release else check.content.released,
            "policy": PolicyAnswer(name=version.policy.name, version=version.version, sha256=version.sha256),
            "findings": [_finding(finding) for finding in check.findings.all()],
            "unscanned": [UnscannedAnswer(rule=item["rule"], reason=item["reason"]) for item in check.unscanned],
            "review": review and ReviewAnswer(id=review[0], state=review[1], url=_review_url(check, review[0])),
            "decision": release and _decision(check, release),
            "timings": TimingsAnswer(**check.timings) if check.timings else None,
        }
    )


def _verdict(check: Check, release: Release | None) -> str | None:
    if release is not None:
        return VERDICT_AFTER[release.outcome]
    return check.verdict if check.state == CheckState.CONCLUDED else None


def _decision(check: Check, release: Release) -> DecisionAnswer:
    return DecisionAnswer.model_validate(
        {
            "outcome": release.outcome,
            "by": release.decided_by,
            "at": release.decided_at.isoformat(),
            "machine_verdict": check.verdict,
            "statement": release.statement,
        }
    )


def _finding(finding: Any) -> FindingAnswer:
    fields = (
        "rule",
        "detector",
        "category",
        "score",
        "threshold",
        "action",
        "target",
        "start",
        "end",
        "model",
        "detail",
    )
    return FindingAnswer.model_validate({field: getattr(finding, field) for field in fields})


def _review_url(check: Check, item_id: str) -> str:
    return f"{settings.PUBLIC_URL}/p/{check.project.slug}/review/items/{item_id}/"


def recent_checks(project: Project, verdict: str = "") -> QuerySet[Check]:
    """Return the project's checks, newest first, all of them or those with one machine verdict; without texts."""
    checks = Check.objects.filter(project=project).select_related("application", "policy_version__policy")
    if verdict:
        checks = checks.filter(verdict=verdict)
    return checks.order_by("-created_at")


def count_checks(project_id: uuid.UUID, since: dt.datetime, until: dt.datetime) -> dict[str, int]:
    """Return how many checks there are in [since, until), by verdict: the rows that audit reports reconcile with.

    A check counts when it was concluded; an asynchronous one that has no verdict before `until` is "open" and counts
    when it was accepted.
    """
    rows = Check.objects.filter(project_id=project_id)
    concluded = Q(concluded_at__gte=since, concluded_at__lt=until)
    still_open = Q(asynchronous=True, created_at__gte=since, created_at__lt=until) & (
        Q(concluded_at=None) | Q(concluded_at__gte=until)
    )
    counts = {**dict.fromkeys(Verdict.values, 0), "errors": 0}
    counts |= dict(rows.filter(concluded).values_list("verdict").annotate(Count("id")))
    counts["open"] = rows.filter(still_open).count()
    counts["intercepted"] = rows.filter(concluded | still_open).count()
    return counts
