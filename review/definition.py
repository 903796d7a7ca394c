"""What a version of a label schema lets a reviewer answer, read from its JSON."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

#: In the console's order. Every schema offers ALWAYS: an item that nobody can let out or stop would never end.
OUTCOMES = ("release", "redact", "replace", "block", "unsure")
ALWAYS = ("release", "block")


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
    """Categories, sentences for the note, verdicts (of OUTCOMES) and rubric of a version."""

    categories: list[str]
    rationale_snippets: list[str]
    outcomes: list[str]
    rubric: list[RubricField]

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


def read_definition(stored: Mapping[str, Any]) -> Definition:
    """Return the definition in `LabelSchemaVersion.definition`; the oldest ones offer all verdicts and no rubric."""
    return Definition(
        categories=list(stored["categories"]),
        rationale_snippets=list(stored.get("rationale_snippets", [])),
        outcomes=list(stored.get("outcomes", OUTCOMES)),
        rubric=[RubricField(field["name"], field["points"]) for field in stored.get("rubric", [])],
    )
