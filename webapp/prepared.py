"""A cursor for the few statements that every check runs: PostgreSQL parses and plans them once a connection.

Django has psycopg write values into each statement, so that it is parsed and planned anew each time, which for short
statements is much of what they cost the server. Behind a pooler that gives each transaction another connection, the
pooler has to know prepared statements (PgBouncer does, from 1.21 on).
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
from django.db import connection
from django.db.backends.utils import CursorWrapper


class _Prepared(psycopg.Cursor[tuple[Any, ...]]):
    def execute(self, query: Any, params: Any = None, **options: Any) -> _Prepared:
        return super().execute(query, params, **{"prepare": True, **options})


@contextmanager
def prepared_cursor() -> Iterator[CursorWrapper]:
    """Give a cursor on the default database, with Django's exceptions, whose statements stay prepared."""
    connection.close_if_health_check_failed()  # as Django's own cursors: once after each close_old_connections()
    connection.ensure_connection()
    wrapped: Any = connection.make_debug_cursor if connection.queries_logged else connection.make_cursor
    with _Prepared(connection.connection) as cursor:
        yield wrapped(cursor)
