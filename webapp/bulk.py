"""Insert rows of several models by one statement that is written once, not compiled for every call.

`bulk_create` spends more time on making its SQL than PostgreSQL on running it; this is for the few tables that every
check writes to. Rows travel as JSON, which PostgreSQL takes apart: Python writes a row in one call instead of one for
each of its values.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

from django.db import connection, models
from pydantic_core import to_json

from webapp.prepared import prepared_cursor


def insert(*tables: Sequence[models.Model]) -> None:
    """Insert new rows, all of one table in each argument, by one statement: all of them or none.

    As they are: no signals, and no key set that the database makes. Rows may refer to each other. Raises
    django.db.DatabaseError, also for numbers that JSON does not have, and ValueError for values of types unknown to it.
    """
    filled = [rows for rows in tables if rows]
    if not filled:
        return
    sql, fields = _statement(tuple(type(rows[0]) for rows in filled))
    parts = [
        to_json([{name: _value(getattr(row, name)) for name in names} for row in rows]).decode()
        for rows, names in zip(filled, fields, strict=True)
    ]
    with prepared_cursor() as cursor:
        cursor.execute(sql, parts)
    for rows in filled:
        for row in rows:
            row._state.adding = False
            row._state.db = connection.alias


def _value(value: object) -> object:
    """Return bytes as PostgreSQL reads them in a text, and anything else as it is."""
    return rf"\x{value.hex()}" if type(value) is bytes else value


@lru_cache(maxsize=32)
def _statement(tables: tuple[type[models.Model], ...]) -> tuple[str, list[list[str]]]:
    """Return the statement, and the names of each table's attributes."""
    fields = [
        [field for field in model._meta.concrete_fields if not isinstance(field, models.AutoField)] for model in tables
    ]
    *first, last = (_insertion(model, those) for model, those in zip(tables, fields, strict=True))
    # Foreign keys are looked at when the statement is done, so the order does not matter.
    named = ", ".join(f"part{number} AS ({one})" for number, one in enumerate(first))
    return f"WITH {named} {last}" if first else last, [[field.attname for field in those] for those in fields]


def _insertion(model: type[models.Model], fields: list[models.Field]) -> str:  # type: ignore[type-arg]  # of any type
    names = ", ".join(f'"{field.column}"' for field in fields)
    row = ", ".join(f'"{field.attname}" {field.cast_db_type(connection)}' for field in fields)
    return f'INSERT INTO "{model._meta.db_table}" ({names}) SELECT * FROM json_to_recordset(%s::json) AS row({row})'  # noqa: S608 - names of ours
