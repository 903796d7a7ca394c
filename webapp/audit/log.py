"""Write audit events: call `record_event` inside the transaction of the thing it records."""

from __future__ import annotations

import datetime as dt
import json
import re
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import rfc8785
from django.db import connection
from django.utils import timezone

from webapp.audit.errors import EventRefused
from webapp.audit.events import EVENT_TYPES
from webapp.audit.models import AuditEvent
from webapp.bulk import insert
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


@dataclass(frozen=True, slots=True, kw_only=True)
class NewEvent:
    """An event to be stored. `ts` defaults to now; give the time of the recorded thing when it has one."""

    type: str
    project_id: uuid.UUID | None
    actor: Actor
    object: EventObject
    outcome: EventOutcome | None = None
    policy: PolicyRef | None = None
    model: str = ""
    reason_codes: list[str] | None = None
    cause: list[str] | None = None
    counts: dict[str, int] | None = None
    ts: dt.datetime | None = None


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
    event = NewEvent(
        type=type,
        project_id=project_id,
        actor=actor,
        object=object,
        outcome=outcome,
        policy=policy,
        model=model,
        reason_codes=reason_codes,
        cause=cause,
        counts=counts,
        ts=ts,
    )
    return record_events([event])[0]


def record_events(events: Sequence[NewEvent]) -> list[AuditEvent]:
    """Store several events at once, as `record_event` stores one. Raises EventRefused, and then stores none."""
    rows = [event_row(event) for event in events]
    if not connection.in_atomic_block:
        raise EventRefused("an audit event is written in the transaction of the thing it records")
    insert(rows)
    return rows


def event_row(event: NewEvent) -> AuditEvent:
    """Return the row of an event, for who inserts it by the very statement that stores what it records.

    Raises EventRefused.
    """
    outcome, policy = event.outcome, event.policy
    _refuse_free_text(
        event.type, event.actor, event.object, outcome, [*(event.reason_codes or []), *(event.cause or [])]
    )
    key = uuid7()
    moment = event.ts or timezone.now()
    envelope: dict[str, Any] = {
        "v": VERSION,
        "id": str(key),
        "ts": moment.astimezone(dt.UTC).isoformat(timespec="microseconds"),
        "project": str(event.project_id) if event.project_id else None,
        "type": event.type,
        "actor": {
            "kind": event.actor.kind,
            "ref": event.actor.ref,
            "role": event.actor.role,
            "auth": event.actor.auth,
        },
        "subject_ref": None,
        "object": {"kind": event.object.kind, "id": str(event.object.id), "rev": event.object.rev},
        "outcome": outcome
        and {
            "decision": outcome.decision,
            "prev": outcome.prev,
            "override": outcome.override,
            "automated": outcome.automated,
        },
        "policy": policy and {"id": policy.id, "version": policy.version, "sha256": policy.sha256},
        "model": {"id": event.model} if event.model else None,
        "reason_codes": sorted(set(event.reason_codes or [])),
        "cause": event.cause or [],
        "counts": event.counts or {},
        "legal_basis": None,
        "retention_class": "default",
        "payload": None,
    }
    return AuditEvent(id=key, project_id=event.project_id, type=event.type, ts=moment, envelope=canonical(envelope))


def canonical(envelope: dict[str, Any]) -> bytes:
    """Return an envelope in RFC 8785 JSON."""
    if envelope["counts"]:
        return rfc8785.dumps(envelope)
    # Strings, small integers, booleans and null under ASCII names: Python's own encoder writes the same, much faster.
    return json.dumps(envelope, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


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
