from __future__ import annotations

import contextlib
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from django.db import connection, transaction
from pytest_django.fixtures import Settings

from tests.audit.activity import COUNTS, make_month
from tests.audit_flush import TABLES
from tests.factories import Cast, make_cast
from webapp.audit import counters
from webapp.audit.log import Actor, EventObject, record_event
from webapp.audit.models import AuditEvent
from webapp.ids import uuid7

Rows = Callable[[dict[str, int]], None]


@pytest.fixture(autouse=True)
def audit_key(settings: Settings, tmp_path: Path) -> Path:
    """Give every test its own signing key: what was signed in another test is not to be remembered."""
    settings.AUDIT_KEY_FILE = tmp_path / "keys" / "audit.pem"
    return tmp_path / "keys" / "audit.pem"


@pytest.fixture
def quick_passwords(settings: Settings) -> None:
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


@pytest.fixture
def rows(monkeypatch: pytest.MonkeyPatch) -> Rows:
    """Say what the database's rows count."""

    def say(counts: dict[str, int]) -> None:
        monkeypatch.setattr(counters, "_counters", [lambda project, since, until: counts])

    return say


@pytest.fixture
def cast(quick_passwords: None, rows: Rows) -> Cast:
    """Return the cast, with a month of activity that the rows agree with."""
    cast = make_cast()
    make_month(cast.project, cast.reviewer)
    rows(COUNTS)
    return cast


def record(count: int = 1) -> list[AuditEvent]:
    with transaction.atomic():
        return [
            record_event(
                type="key.created",
                project_id=None,
                actor=Actor(kind="system", ref="countersign"),
                object=EventObject("api_key", uuid7()),
            )
            for _ in range(count)
        ]


@contextlib.contextmanager
def triggers_off() -> Iterator[None]:
    """Do what a database administrator with bad intentions can."""
    with connection.cursor() as cursor:
        for table in TABLES:
            cursor.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER")
        yield
        for table in TABLES:
            cursor.execute(f"ALTER TABLE {table} ENABLE TRIGGER USER")


def tamper(sql: str, *parameters: uuid.UUID) -> None:
    with triggers_off(), connection.cursor() as cursor:
        cursor.execute(sql, parameters)


def tamper_envelope(event: AuditEvent) -> None:
    """Make another event type of one "key.created", in the envelope and in the column."""
    tamper(
        "UPDATE audit_auditevent SET type = 'key.revoked',"
        " envelope = replace(encode(envelope, 'escape'), 'key.created', 'key.revoked')::bytea WHERE id = %s",
        event.id,
    )
