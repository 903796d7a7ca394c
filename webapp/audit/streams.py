"""Read the log in one pass and constant memory, from one state of the database."""

from __future__ import annotations

import contextlib
import datetime as dt
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.db import connection, transaction

CHUNK = 2000


@dataclass(frozen=True, slots=True)
class LoggedEvent:
    """A leaf and its event; the event's fields are None when its row is gone."""

    index: int
    event_id: uuid.UUID
    sha256: bytes
    project_id: uuid.UUID | None
    type: str | None
    ts: dt.datetime | None
    envelope: bytes | None


@contextlib.contextmanager
def snapshot() -> Iterator[None]:
    """Show every query inside the same state of the database, and let none write."""
    nested = connection.in_atomic_block  # an outer transaction (a test's) has its isolation already
    with transaction.atomic():
        if not nested:
            with connection.cursor() as cursor:
                cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        yield


def stream(sql: str, parameters: list[uuid.UUID | dt.datetime | int] | None = None) -> Iterator[tuple[Any, ...]]:
    """Yield the rows of a query through a server-side cursor; inside `snapshot` only."""
    with connection.chunked_cursor() as cursor:
        cursor.execute(sql, parameters)
        while rows := cursor.fetchmany(CHUNK):
            yield from rows


def all_leaves() -> Iterator[LoggedEvent]:
    """Yield the whole log in its order."""
    rows = stream(
        "SELECT l.index, l.event_id, l.sha256, e.project_id, e.type, e.ts, e.envelope"
        " FROM audit_auditleaf l LEFT JOIN audit_auditevent e ON e.id = l.event_id ORDER BY l.index"
    )
    return map(_logged, rows)


def project_events(
    project_id: uuid.UUID, *, since: dt.datetime, until: dt.datetime, size: int
) -> Iterator[LoggedEvent]:
    """Yield a project's events with since <= ts < until among the first `size` leaves, in the log's order."""
    rows = stream(
        "SELECT l.index, l.event_id, l.sha256, e.project_id, e.type, e.ts, e.envelope"
        " FROM audit_auditevent e JOIN audit_auditleaf l ON l.event_id = e.id"
        " WHERE e.project_id = %s AND e.ts >= %s AND e.ts < %s AND l.index < %s ORDER BY l.index",
        [project_id, since, until, size],
    )
    return map(_logged, rows)


def all_nodes() -> Iterator[tuple[int, int, bytes]]:
    """Yield (level, index, hash) of the complete subtrees in the order in which a growing log completes them."""
    for level, index, sha256 in stream(
        "SELECT level, index, sha256 FROM audit_auditnode ORDER BY (index + 1) << level, level"
    ):
        yield level, index, bytes(sha256)


def _logged(row: tuple[Any, ...]) -> LoggedEvent:
    index, event_id, sha256, project_id, type, ts, envelope = row
    return LoggedEvent(
        index, event_id, bytes(sha256), project_id, type, ts, None if envelope is None else bytes(envelope)
    )
