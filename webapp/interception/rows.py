"""What is asked for, and the rows that are made of it; nothing here touches the database."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from policies.models import PolicyVersion
from screening.findings import Finding as FoundFinding
from screening.findings import Text
from webapp.accounts.models import Application
from webapp.audit.log import Actor
from webapp.interception.models import Check, CheckContent, Finding
from webapp.interception.schemas import CheckRequest
from webapp.interception.screening import deadline_of
from webapp.interception.texts import texts_of


@dataclass(frozen=True)
class Intake:
    """A request that may be screened: who asks, what, under which policy version."""

    application: Application
    version: PolicyVersion
    request: CheckRequest
    idempotency_key: str | None = None
    door: str = "checks"
    compared_with: Check | None = None

    @cached_property
    def sha256(self) -> str:
        """Return a hash of what was asked, for telling a retry from another request under the same key."""
        # Left out where it is not given, so that retries of older requests stay what they were.
        left_out = {"wait", "messages"} | (set() if self.request.compare_with else {"compare_with"})
        asked = self.request.model_dump(mode="json", exclude=left_out) | {"messages": self.messages}
        return hashlib.sha256(json.dumps([self.door, asked], sort_keys=True).encode()).hexdigest()

    @cached_property
    def deadline_ms(self) -> int:
        return deadline_of(self.version, self.request.deadline_ms)

    @cached_property
    def texts(self) -> tuple[Text, ...]:
        return texts_of(self.request.output, self.messages)

    @cached_property
    def messages(self) -> list[dict[str, Any]]:
        return [message.model_dump(mode="json") for message in self.request.messages]


def new_check(intake: Intake, created: dt.datetime) -> Check:
    return Check(
        project=intake.application.project,
        application=intake.application,
        policy_version=intake.version,
        door=intake.door,
        conversation_id=intake.request.conversation_id,
        idempotency_key=intake.idempotency_key,
        # Only retries under a key are compared.
        request_sha256="" if intake.idempotency_key is None else intake.sha256,
        deadline_ms=intake.deadline_ms,
        compared_with=intake.compared_with,
        created_at=created,
    )


def content_row(check: Check, intake: Intake, released: str | None) -> CheckContent:
    request = intake.request
    return CheckContent(
        checked=check,
        output=request.output,
        released=released,
        messages=intake.messages,
        context=request.context,
        end_user=request.end_user,
        metadata=request.metadata,
    )


def finding_row(check: Check, finding: FoundFinding, *, late: bool = False) -> Finding:
    return Finding(
        checked=check,
        rule=finding.rule,
        detector=finding.detector,
        category=finding.category,
        score=finding.score,
        threshold=finding.threshold,
        action=finding.action,
        target=finding.target,
        start=finding.start,
        end=finding.end,
        model=finding.model,
        detail=finding.detail[:300],
        late=late,
    )


def actor_of(application: Application) -> Actor:
    return Actor(kind="application", ref=str(application.id), auth="api_key")
