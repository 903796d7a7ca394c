"""Whether the database has every migration of this code."""

from __future__ import annotations

import logging

from django.db import Error, connection
from django.db.migrations.executor import MigrationExecutor

log = logging.getLogger(__name__)

# Looked up until it is so, and then never again: probes come every few seconds, and no table goes away by itself.
_migrated = False
_told = False


def migrated() -> bool:
    """Return whether the database lacks no migration that this code has; it may have newer ones. Tell the log once."""
    global _migrated, _told
    if _migrated:
        return True
    try:
        executor = MigrationExecutor(connection)
        missing = executor.migration_plan(executor.loader.graph.leaf_nodes())
    except Error:
        return False
    _migrated = not missing
    if missing and not _told:
        _told = True
        log.error("the database lacks %d migrations of this version: run `manage.py migrate`", len(missing))
    return _migrated
