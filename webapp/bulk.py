"""Insert rows of several models by one statement that is written once, not compiled for every call.

`bulk_create` spends more time on making its SQL than PostgreSQL on running it; this is for the few tables that every
check writes to.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

from django.db import connection, models


def insert(*tables: Sequence[models.Model]) -> None:
    """Insert new rows, all of one table in each argument, by one statement: all of them or none.

    As they are: no signals, and no key set that the database makes. Rows may refer to each other.
    """
    filled = [rows for rows in tables if rows]
    if not filled:
        return
    sql, fields = _statement(tuple(type(rows[0]) for rows in filled))
    columns = [
        [field.get_db_prep_save(getattr(row, field.attname), connection) for row in rows]
        for rows, those in zip(filled, fields, strict=True)
        for field in those
    ]
    with connection.cursor() as cursor:
        cursor.execute(sql, columns)
    for rows in filled:
        for row in rows:
            row._state.adding = False
            row._state.db = connection.alias


@lru_cache(maxsize=32)
def _statement(tables: tuple[type[models.Model], ...]) -> tuple[str, list[list[models.Field[Any, Any]]]]:
    """Return the statement, and the fields of each table in its order."""
    fields = [
        [field for field in model._meta.concrete_fields if not isinstance(field, models.AutoField)] for model in tables
    ]
    *first, last = (_insertion(model, those) for model, those in zip(tables, fields, strict=True))
    # Foreign keys are looked at when the statement is done, so the order does not matter.
    named = ", ".join(f"part{number} AS ({one})" for number, one in enumerate(first))
    return f"WITH {named} {last}" if first else last, fields


def _insertion(model: type[models.Model], fields: list[models.Field[Any, Any]]) -> str:
    names = ", ".join(f'"{field.column}"' for field in fields)
    arrays = ", ".join(f"%s::{field.cast_db_type(connection)}[]" for field in fields)
    return f'INSERT INTO "{model._meta.db_table}" ({names}) SELECT * FROM unnest({arrays})'  # noqa: S608 - names of ours
