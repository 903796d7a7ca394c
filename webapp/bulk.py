"""Insert many rows of one model by one statement that is written once, not compiled for every call.

`bulk_create` spends more time on making its SQL than PostgreSQL on running it; this is for the few tables that every
check writes to.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

from django.db import connection, models


def insert(rows: Sequence[models.Model]) -> None:
    """Insert new rows of one model, as they are: no signals. A key that the database makes is set on each row."""
    if not rows:
        return
    model = type(rows[0])
    sql, fields, key = _statement(model)
    columns = [[field.get_db_prep_save(getattr(row, field.attname), connection) for row in rows] for field in fields]
    with connection.cursor() as cursor:
        cursor.execute(sql, columns)
        if key is not None:
            for row, (value,) in zip(rows, cursor.fetchall(), strict=True):
                setattr(row, key.attname, value)
    for row in rows:
        row._state.adding = False
        row._state.db = connection.alias


@lru_cache(maxsize=32)
def _statement(model: type[models.Model]) -> tuple[str, list[models.Field[Any, Any]], models.Field[Any, Any] | None]:
    """Return the statement, the fields in its order, and the key that the database makes, if it does."""
    key = model._meta.pk if isinstance(model._meta.pk, models.AutoField) else None
    fields = [field for field in model._meta.concrete_fields if field is not key]
    names = ", ".join(f'"{field.column}"' for field in fields)
    arrays = ", ".join(f"%s::{field.cast_db_type(connection)}[]" for field in fields)
    sql = f'INSERT INTO "{model._meta.db_table}" ({names}) SELECT * FROM unnest({arrays})'  # noqa: S608 - names of ours
    return f'{sql} RETURNING "{key.column}"' if key is not None else sql, fields, key
