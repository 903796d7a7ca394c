"""What a version of a label schema lets a reviewer answer, read from its JSON."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

#: In the console's order. Every schema offers ALWAYS: an item that nobody can let out or stop would never end.
OUTCOMES = ("release", "redact", "replace", "block", "unsure")
ALWAYS = ("release", "block")
#: Keys of a schema; all others are the reviewer's own.
HOTKEYS = "123456789"


@dataclass(frozen=True, slots=True)
class RubricField:
    """A question that is answered with a number from 1 to `points`."""

    name: str
    points: int

    @property
    def scale(self) -> range:
        return range(1, self.points + 1)

    def __str__(self) -> str:
        return f"{self.name}: {self.points}"


@dataclass(frozen=True, slots=True)
class Definition:
    """Categories, sentences for the note, verdicts (of OUTCOMES), rubric and hotkeys of a version.

    `hotkeys`: which of HOTKEYS is that of which category or sentence; where there are none, the first categories have
    them.
    """

    categories: list[str]
    rationale_snippets: list[str]
    outcomes: list[str]
    rubric: list[RubricField]
    hotkeys: dict[str, str] = field(default_factory=dict)

    @property
    def key_of(self) -> dict[str, str]:
        """Return the hotkey of each category and sentence that has one."""
        return {name: key for key, name in (self.hotkeys or dict(zip(HOTKEYS, self.categories, strict=False))).items()}

    @property
    def keyed_snippets(self) -> list[tuple[str, str]]:
        """Return every sentence with its hotkey, "" for none."""
        return [(snippet, self.key_of.get(snippet, "")) for snippet in self.rationale_snippets]

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


def read_definition(stored: Mapping[str, Any]) -> Definition:
    """Return the definition in `LabelSchemaVersion.definition`; the oldest ones offer all verdicts and no rubric."""
    return Definition(
        categories=list(stored["categories"]),
        rationale_snippets=list(stored.get("rationale_snippets", [])),
        outcomes=list(stored.get("outcomes", OUTCOMES)),
        rubric=[RubricField(one["name"], one["points"]) for one in stored.get("rubric", [])],
        hotkeys=dict(stored.get("hotkeys", {})),
    )
