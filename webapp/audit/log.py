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

from webapp.audit.errors import EventRefused
from webapp.audit.events import EVENT_TYPES
from webapp.audit.models import AuditEvent
from webapp.ids import uuid7

VERSION = 1
#: Reason codes are words of a closed grammar, never free text: rule ids, categories, outcomes.
REASON_CODE = re.compile(r"[A-Za-z0-9_./*+:-]{1,120}\Z")
#: Ids and roles: no spaces, no at signs.
WORD = re.compile(r"[A-Za-z0-9_./:-]{0,120}\Z")
ACTOR_KINDS = ("user", "application", "system", "anonymous")


@dataclass(frozen=True, slots=True)
class Actor:
    """Who did it. `ref` is an id, never a name or an address; `kind` is one of ACTOR_KINDS."""

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

    `ts` defaults to now; pass the time of the recorded thing when it has one. Raises EventRefused.
    """
    _refuse_free_text(type, actor, object, outcome, [*(reason_codes or []), *(cause or [])])
    if not connection.in_atomic_block:
        raise EventRefused("an audit event is written in the transaction of the thing it records")
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


def _refuse_free_text(
    type: str, actor: Actor, object: EventObject, outcome: EventOutcome | None, codes: list[str]
) -> None:
    if type not in EVENT_TYPES:
        raise EventRefused(f"unknown event type {type!r}: add it to webapp/audit/events.py")
    if actor.kind not in ACTOR_KINDS:
        raise EventRefused(f"the actor of {type} is none of {', '.join(ACTOR_KINDS)}")
    if not all(REASON_CODE.match(code) for code in codes):
        raise EventRefused(f"a reason code of {type} is not of the form {REASON_CODE.pattern}")
    words = [actor.ref, actor.role, actor.auth, object.kind, str(object.id), object.rev]
    words += [outcome.decision, outcome.prev] if outcome else []
    if not all(WORD.match(word) for word in words):
        raise EventRefused(f"an id or a role of {type} is not of the form {WORD.pattern}")
