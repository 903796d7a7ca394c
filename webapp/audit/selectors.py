"""Reads of the log for reports."""

from __future__ import annotations

import datetime as dt
import json
import uuid
from dataclasses import dataclass

from django.db import connection

from webapp.audit.checkpoints import make_checkpoint, newest_checkpoint
from webapp.audit.counters import KEYS, PARTS
from webapp.audit.errors import AuditError, KeyUnusable
from webapp.audit.models import AuditCheckpoint
from webapp.audit.sequencer import sequence_log


class NothingSigned(AuditError):
    """The log holds no event yet, or no checkpoint of the size that was asked for."""


@dataclass(frozen=True, slots=True)
class PriorReport:
    index: int
    ts: str
    sha256: str


def fresh_checkpoint() -> AuditCheckpoint:
    """Append what waits, sign the log, and return the checkpoint.

    On a machine without the signing key this is the newest that another machine signed. Raises AuditError.
    """
    sequence_log(wait=True)
    try:
        checkpoint = make_checkpoint()
    except KeyUnusable:
        checkpoint = newest_checkpoint()
        if checkpoint is None:
            raise
    if checkpoint is None:
        raise NothingSigned("the audit log has no events yet")
    return checkpoint


def checkpoint_of(size: int) -> AuditCheckpoint:
    """Return the stored checkpoint of `size` events; raise NothingSigned."""
    try:
        return AuditCheckpoint.objects.get(size=size)
    except AuditCheckpoint.DoesNotExist:
        raise NothingSigned(f"no checkpoint of {size} events is stored") from None


def prior_report(project_id: uuid.UUID, *, size: int) -> PriorReport | None:
    """Return the newest report of the project among the first `size` events."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT l.index, e.envelope FROM audit_auditevent e JOIN audit_auditleaf l ON l.event_id = e.id"
            " WHERE e.project_id = %s AND e.type = 'report.created' AND l.index < %s ORDER BY l.index DESC LIMIT 1",
            [project_id, size],
        )
        row = cursor.fetchone()
    if row is None:
        return None
    envelope = json.loads(bytes(row[1]))
    digests = [code for code in envelope["reason_codes"] if code.startswith("sha256:")]
    return PriorReport(index=row[0], ts=envelope["ts"], sha256=digests[0].removeprefix("sha256:") if digests else "")


def count_events(project_id: uuid.UUID, since: dt.datetime, until: dt.datetime) -> dict[str, int]:
    """Return what the events say of the project's checks, under the keys of `counters.KEYS` and by their meaning."""
    with connection.cursor() as cursor:
        cursor.execute(
            "WITH e AS MATERIALIZED ("
            "SELECT type, body #>> '{object,id}' AS object, body #>> '{outcome,decision}' AS part FROM ("
            "SELECT type, convert_from(envelope, 'UTF8')::jsonb AS body FROM audit_auditevent"
            " WHERE project_id = %s AND ts >= %s AND ts < %s AND type IN ('check.accepted', 'check.concluded')) read)"
            " SELECT part, count(*) FROM e WHERE type = 'check.concluded' GROUP BY part"
            " UNION ALL SELECT 'open', count(*) FROM e a WHERE a.type = 'check.accepted' AND NOT EXISTS"
            " (SELECT FROM e c WHERE c.type = 'check.concluded' AND c.object = a.object)",
            (project_id, since, until),
        )
        parts: dict[str | None, int] = dict(cursor.fetchall())
    counts = {part: parts.pop(part, 0) for part in PARTS if part != "errors"}
    # A conclusion that is none of the four verdicts.
    counts["errors"] = sum(parts.values())
    return {key: sum(counts.values()) if key == "intercepted" else counts[key] for key in KEYS}


def count_all(project_id: uuid.UUID, since: dt.datetime, until: dt.datetime) -> int:
    """Return how many events of the period there are, in the log or waiting for their place in it."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM audit_auditevent WHERE project_id = %s AND ts >= %s AND ts < %s",
            [project_id, since, until],
        )
        (count,) = cursor.fetchone() or (0,)
    return int(count)
