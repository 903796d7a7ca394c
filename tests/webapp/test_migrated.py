"""A database that lacks migrations of this code is not ready, and the log says what to run."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.db import connection
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder
from django.test import Client
from django.test.utils import CaptureQueriesContext

from webapp.monitoring import schema


@pytest.fixture(autouse=True)
def _never_looked_up(db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(schema, "_migrated", False)
    monkeypatch.setattr(schema, "_told", False)


def ready() -> tuple[int, dict[str, Any]]:
    response = Client().get("/readyz")
    return response.status_code, json.loads(response.content)


def test_a_missing_migration_is_named_until_it_is_there(caplog: pytest.LogCaptureFixture) -> None:
    recorder = MigrationRecorder(connection)
    newest = MigrationLoader(connection).graph.leaf_nodes("audit")[0]
    recorder.record_unapplied(*newest)
    for _ in range(2):
        status, state = ready()
        assert (status, state["database"], state["migrated"]) == (503, True, False)
    (line,) = [line for line in caplog.messages if "migrat" in line]
    assert "manage.py migrate" in line
    recorder.record_applied(*newest)
    assert ready()[1]["migrated"] is True


def test_migrations_of_a_newer_version_are_none_of_ours() -> None:
    MigrationRecorder(connection).record_applied("audit", "9999_of_the_next_version")
    assert ready()[1]["migrated"] is True


def test_what_is_there_is_not_looked_up_again() -> None:
    ready()
    with CaptureQueriesContext(
        connection,
    ) as queries:
        assert ready()[1]["migrated"] is True
    assert len(queries) == 1
