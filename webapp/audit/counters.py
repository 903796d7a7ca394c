"""The other side of the books: what the rows of a room say, for a report to compare with the events.

This room may not import the rooms above it; they register a function when Django starts.
"""

from __future__ import annotations

import datetime as dt
import uuid
from collections import Counter
from collections.abc import Callable

#: Every check counts once in a period, under one of these; "intercepted" counts them all in a query of its own.
PARTS = ("allow", "redact", "hold", "block", "errors", "open")
KEYS = ("intercepted", *PARTS)

#: Arguments: project, since, until. Returns the counts for KEYS, over since <= time < until: "allow", "redact",
#: "hold", "block" are the checks concluded in that time by verdict, "errors" those concluded without one, "open" those
#: taken in during that time and not concluded before `until`, "intercepted" all of them.
RowCounter = Callable[[uuid.UUID, dt.datetime, dt.datetime], dict[str, int]]

_counters: list[RowCounter] = []


def register_counter(counter: RowCounter) -> None:
    """Have reports compare what `counter` returns with the events; call it in AppConfig.ready."""
    if counter not in _counters:
        _counters.append(counter)


def count_rows(project_id: uuid.UUID, since: dt.datetime, until: dt.datetime) -> dict[str, int] | None:
    """Return the sums over all counters, None when none is registered; raise ValueError for a key not in KEYS."""
    if not _counters:
        return None
    total: Counter[str] = Counter()
    for counter in _counters:
        counts = counter(project_id, since, until)
        if unknown := counts.keys() - set(KEYS):
            raise ValueError(f"a row counter returned unknown keys: {', '.join(sorted(unknown))}")
        total.update(counts)
    return {key: total[key] for key in KEYS}
