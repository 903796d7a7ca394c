"""The database itself refuses to change the log."""

from __future__ import annotations

import pytest
from django.db import ProgrammingError, connection, transaction

from tests.audit.conftest import record
from tests.audit_flush import TABLES
from webapp.audit.checkpoints import make_checkpoint
from webapp.audit.models import AuditEvent
from webapp.audit.sequencer import sequence_log

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("table", TABLES)
@pytest.mark.parametrize(
    "statement", ["UPDATE {table} SET {column} = {column}", "DELETE FROM {table}", "TRUNCATE {table}"]
)
def test_change_is_refused_with_a_hint(table: str, statement: str) -> None:
    record(2)
    sequence_log(wait=True)
    make_checkpoint()
    column = {"audit_auditevent": "type", "audit_auditcheckpoint": "note"}.get(table, "sha256")
    with (
        pytest.raises(ProgrammingError, match=r"append-only(.|\n)*HINT"),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute(statement.format(table=table, column=column))


def test_change_is_refused_in_replica_mode_too() -> None:
    record()
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL session_replication_role = replica")
        with pytest.raises(ProgrammingError, match="append-only"), transaction.atomic():
            cursor.execute("DELETE FROM audit_auditevent")


def test_the_model_layer_is_refused() -> None:
    (event,) = record()
    with pytest.raises(ProgrammingError, match="append-only"), transaction.atomic():
        event.save()
    with pytest.raises(ProgrammingError, match="append-only"), transaction.atomic():
        event.delete()
    assert AuditEvent.objects.count() == 1
