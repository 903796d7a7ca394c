"""Let a transactional test's flush TRUNCATE the audit tables; their triggers refuse it to everybody else.

tests/conftest.py takes the fixture over. The test database's user owns the tables (it made them), so that it may switch
their triggers off for the length of the flush.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import pytest

TABLES = ("audit_auditevent", "audit_auditleaf", "audit_auditnode", "audit_auditcheckpoint")


@pytest.fixture(scope="session", autouse=True)
def allow_flush() -> Iterator[None]:
    from django.db.backends.postgresql.operations import DatabaseOperations

    flush = DatabaseOperations.execute_sql_flush

    def flush_with_triggers_off(self: DatabaseOperations, sql_list: Iterable[str]) -> None:
        off = [f"ALTER TABLE {table} DISABLE TRIGGER audit_no_truncate" for table in TABLES]
        on = [f"ALTER TABLE {table} ENABLE ALWAYS TRIGGER audit_no_truncate" for table in TABLES]
        flush(self, [*off, *sql_list, *on])  # one transaction

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(DatabaseOperations, "execute_sql_flush", flush_with_triggers_off)
        yield
