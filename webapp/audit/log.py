"""Write audit events: call `record_event` inside the transaction of the thing it records."""

from __future__ import annotations

import datetime as dt
import re
import uuid
from dataclasses import dataclass
from typing import Any

import rfc8785
from django.db import connection
from django.utils import timezone

from webapp.audit.events import EVENT_TYPES
from webapp.audit.models import AuditEvent
from webapp.ids import uuid7

VERSION = 1
#: Reason codes are words of a closed grammar, never free text: rule ids, categories, outcomes.
REASON_CODE = re.compile(r"[A-Za-z0-9_./*+:-]{1,120}\Z")


class AuditError(Exception):
    """An event that must not be written: unknown type, free text in a reason code, or outside a transaction."""


@dataclass(frozen=True, slots=True)
class Actor:
    """Who did it. `ref` is an id, never a name or an address; `kind`: user, application, system."""

    kind: str
    ref: str
    role: str = ""
    auth: str = ""


@dataclass(frozen=True, slots=True)
class EventObject:
    kind: str
    id: uuid.UUID | str
    rev: str = ""


@dataclass(frozen=True, slots=True)
class EventOutcome:
    decision: str
    prev: str = ""
    override: bool = False
    automated: bool = True


@dataclass(frozen=True, slots=True)
class PolicyRef:
    id: str
    version: int
    sha256: str


def record_event(
    *,
    type: str,
    project_id: uuid.UUID | None,
    actor: Actor,
    object: EventObject,
    outcome: EventOutcome | None = None,
    policy: PolicyRef | None = None,
    model: str = "",
    reason_codes: list[str] | None = None,
    cause: list[str] | None = None,
    counts: dict[str, int] | None = None,
    ts: dt.datetime | None = None,
) -> AuditEvent:
    """Store one event with an envelope in RFC 8785 JSON, free of personal data, free text and floats.

    `ts` defaults to now; pass the time of the recorded thing when it has one. Raises AuditError.
    """
    if type not in EVENT_TYPES:
        raise AuditError(f"unknown event type {type!r}: add it to webapp/audit/events.py")
    if not connection.in_atomic_block:
        raise AuditError("an audit event is written in the transaction of the thing it records")
    for code in reason_codes or []:
        if not REASON_CODE.match(code):
            raise AuditError(f"a reason code of {type} is not of the form {REASON_CODE.pattern}")
    key = uuid7()
    moment = ts or timezone.now()
    envelope: dict[str, Any] = {
        "v": VERSION,
        "id": str(key),
        "ts": moment.astimezone(dt.UTC).isoformat(timespec="microseconds"),
        "project": str(project_id) if project_id else None,
        "type": type,
        "actor": {"kind": actor.kind, "ref": actor.ref, "role": actor.role, "auth": actor.auth},
        "subject_ref": None,
        "object": {"kind": object.kind, "id": str(object.id), "rev": object.rev},
        "outcome": outcome
        and {
            "decision": outcome.decision,
            "prev": outcome.prev,
            "override": outcome.override,
            "automated": outcome.automated,
        },
        "policy": policy and {"id": policy.id, "version": policy.version, "sha256": policy.sha256},
        "model": {"id": model} if model else None,
        "reason_codes": sorted(set(reason_codes or [])),
        "cause": cause or [],
        "counts": counts or {},
        "legal_basis": None,
        "retention_class": "default",
        "payload": None,
    }
    return AuditEvent.objects.create(
        id=key, project_id=project_id, type=type, ts=moment, envelope=rfc8785.dumps(envelope)
    )
