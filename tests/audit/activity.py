"""A month of events of one project, as the rooms above record them, with known figures."""

from __future__ import annotations

import datetime as dt
import uuid

from django.db import transaction

from webapp.accounts.models import Project, Role, User
from webapp.accounts.services import user_actor
from webapp.audit.log import Actor, EventObject, EventOutcome, PolicyRef, record_event
from webapp.ids import uuid7

SINCE = dt.datetime(2026, 10, 1, tzinfo=dt.UTC)
UNTIL = dt.datetime(2026, 11, 1, tzinfo=dt.UTC)
POLICY = PolicyRef(id="support-bot", version=3, sha256="ab" * 32)
COUNTS = {"intercepted": 124, "allow": 93, "redact": 17, "hold": 9, "block": 4, "errors": 0, "open": 1}


@transaction.atomic
def make_month(project: Project, person: User) -> None:
    """Record 123 concluded checks and one open one, 9 decisions, an activation and an export, in October 2026."""
    verdicts = ["allow"] * 93 + ["redact"] * 17 + ["hold"] * 9 + ["block"] * 4
    for number, verdict in enumerate(verdicts):
        conclude(project, verdict, at=SINCE + dt.timedelta(hours=number * 7 % 740), unscanned=number % 50 == 0)
    accept(project, at=UNTIL - dt.timedelta(seconds=1))
    actor = user_actor(person, Role.REVIEWER)
    for number in range(9):
        record_event(
            type="review.decision.recorded",
            project_id=project.id,
            actor=actor,
            object=EventObject("review_item", uuid7()),
            outcome=EventOutcome(
                decision=["release", "block", "replace"][number % 3],
                prev="allow" if number == 8 else "hold",
                override=number == 8,
                automated=False,
            ),
            policy=POLICY,
            ts=SINCE + dt.timedelta(days=number * 3, hours=9),
        )
    for kind, what in (
        ("policy.activated", "policy_version"),
        ("export.created", "export"),
        ("key.created", "api_key"),
    ):
        record_event(
            type=kind,
            project_id=project.id,
            actor=user_actor(person, Role.OWNER),
            object=EventObject(what, uuid7()),
            policy=POLICY if kind == "policy.activated" else None,
            ts=SINCE + dt.timedelta(days=2),
        )


def conclude(
    project: Project,
    verdict: str,
    *,
    at: dt.datetime,
    unscanned: bool = False,
    door: str = "checks",
    check_id: uuid.UUID | None = None,
) -> None:
    codes = [f"door:{door}"]
    if verdict != "allow":
        codes.append(f"finding:moderation:{verdict}")
    if unscanned:
        codes.append("unscanned:pii")
    with transaction.atomic():
        record_event(
            type="check.concluded",
            project_id=project.id,
            actor=Actor(kind="application", ref=str(project.id)),
            object=EventObject("check", check_id or uuid7()),
            outcome=EventOutcome(decision=verdict),
            policy=POLICY,
            model="guard-1",
            reason_codes=codes,
            ts=at,
        )


def accept(project: Project, *, at: dt.datetime, check_id: uuid.UUID | None = None) -> None:
    with transaction.atomic():
        record_event(
            type="check.accepted",
            project_id=project.id,
            actor=Actor(kind="application", ref=str(project.id)),
            object=EventObject("check", check_id or uuid7()),
            ts=at,
        )
