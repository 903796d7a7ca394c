"""What a report shows: a profile reads the events of the period, one by one, and returns sections.

One profile is one file that calls `register_profile`; webapp/audit/apps.py imports it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Protocol

from django.utils.translation import gettext

from webapp.audit.report.periods import Period

#: A parsed envelope; its fields are listed in docs/reference/audit.md.
Envelope = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Column:
    """`kind`: text, number (aligned right) or code (ids and hashes)."""

    title: str
    kind: str = "text"


@dataclass(frozen=True, slots=True)
class Section:
    """A titled table, with a chart above it when there is one; `empty` is said instead of a table without rows."""

    id: str
    title: str
    columns: list[Column]
    rows: list[list[str | int]]
    note: str = ""
    empty: str = field(default_factory=lambda: gettext("None in this period."))
    chart: str = field(default="", repr=False)  # SVG

    @property
    def cells(self) -> list[list[tuple[str, str | int]]]:
        """Return the rows with the kind of each cell."""
        return [[(column.kind, value) for column, value in zip(self.columns, row, strict=True)] for row in self.rows]


class Tally(Protocol):
    """Counts of one report; constant memory, however many events."""

    def add(self, index: int, envelope: Envelope) -> None: ...

    def sections(self) -> list[Section]: ...


@dataclass(frozen=True, slots=True)
class Profile:
    name: str
    title: str
    summary: str
    tally: Callable[[Period], Tally]


PROFILES: dict[str, Profile] = {}


def register_profile(profile: Profile) -> None:
    PROFILES[profile.name] = profile
