"""Which decided items a dataset takes."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any


@dataclass(frozen=True, slots=True)
class Filters:
    """An empty field takes all. `since` and `until` are days in UTC, both included, of the decision.

    `categories`: items in which a person confirmed one of them. `assistance`: items all of whose answers were given
    so. `queues` are slugs. `golden`: also the items that golden ones were made of, by which reviewers are measured.
    """

    since: dt.date | None = None
    until: dt.date | None = None
    outcomes: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    assistance: tuple[str, ...] = ()
    queues: tuple[str, ...] = ()
    golden: bool = False

    def as_json(self) -> dict[str, Any]:
        """Return the fields that say something, in a form that equal filters share."""
        values = {name: _plain(value) for name, value in asdict(self).items()}
        return {name: value for name, value in values.items() if value}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Filters:
        """Read what `as_json` wrote. Raises ValueError for an unknown field."""
        known = {field.name for field in fields(cls)}
        if unknown := sorted(set(data) - known):
            raise ValueError(f"unknown filters: {', '.join(unknown)}; known are {', '.join(sorted(known))}")
        return cls(
            since=_day(data.get("since")),
            until=_day(data.get("until")),
            outcomes=tuple(data.get("outcomes", ())),
            categories=tuple(data.get("categories", ())),
            assistance=tuple(data.get("assistance", ())),
            queues=tuple(data.get("queues", ())),
            golden=bool(data.get("golden", False)),
        )


def _day(text: str | None) -> dt.date | None:
    return dt.date.fromisoformat(text) if text else None


def _plain(value: Any) -> Any:
    if isinstance(value, dt.date):
        return value.isoformat()
    return sorted(value) if isinstance(value, tuple) else value
