"""Labelled texts from JSONL files: moderation labels, spans of personal data, or both.

Exceptions:

    DataError      a file has a line that is no labelled text; says which and why, and never quotes the text
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import AliasChoices, Field, ValidationError, model_validator

from feedback.selectors import CATEGORIES
from feedback.training.fields import Fields, Label, SpanFields, check_categories, check_harmless, check_inside, why
from feedback.training.lines import no_object, numbered_lines
from feedback.training.spans import TextSpan

LENGTHS = ((100, "under 100"), (500, "100 to 499"), (2_000, "500 to 1,999"))
LONGEST = "2,000 and more"
#: What a field that has two forms may hold.
FORMS = {
    "labels": "each category with 0 or 1, or a list in the order of exports",
    "annotated_types": 'a list of labels, or "all"',
}


class DataError(ValueError):
    """A file that cannot be measured on."""


@dataclass(frozen=True, slots=True)
class Row:
    """One labelled text. A category that `labels` lacks is unknown. `spans` is None where nobody looked for any, and
    `annotated` names the entities that were looked for, None for all. `benign`: must raise no alarm. `weight`: how many
    texts it stands for."""

    text: str
    labels: dict[str, int] = field(default_factory=dict)
    benign: bool = False
    spans: tuple[TextSpan, ...] | None = None
    annotated: frozenset[str] | None = None
    slices: dict[str, str] = field(default_factory=dict)
    weight: float = 1.0


class _Line(Fields):
    """What a line may hold."""

    text: str | None = None
    prompt: str | None = None
    response: str | None = None
    labels: dict[str, Label] | list[float] | None = None
    label_mask: list[Label] | None = None
    flag: Label | None = None
    spans: list[SpanFields] | None = None
    annotated_types: Literal["all"] | list[str] | None = None
    sample_weight: Annotated[float, Field(ge=0, allow_inf_nan=False)] | None = None
    source: str | None = None
    kind: str | None = None
    lang: str | None = Field(default=None, validation_alias=AliasChoices("lang", "language"))

    @model_validator(mode="after")
    def _complete(self) -> Self:
        if not self.body.strip():
            raise ValueError("`text` (or `response`, or `prompt`) is missing or empty")
        if self.labels is None and self.spans is None and self.flag is None:
            raise ValueError("has none of `labels`, `spans` and `flag`")
        if isinstance(self.labels, list):
            every = len(CATEGORIES)
            if set(self.labels) - {0, 1} or not len(self.labels) == len(self.label_mask or ()) == every:
                raise ValueError(
                    f"`labels` as a list, and its `label_mask`, need 0 or 1 for each of {every} categories"
                )
        check_categories(self.labels if isinstance(self.labels, dict) else ())
        check_inside(self.spans or (), self.body)
        self._agree()
        return self

    def _agree(self) -> None:
        """Raise ValueError where one field denies what another says."""
        check_harmless(self.flag, self.known())
        if isinstance(self.annotated_types, list):
            for span in self.spans or ():
                if span.label and span.label not in self.annotated_types:
                    raise ValueError(f"a span is {span.label!r}, which `annotated_types` lacks: was it looked for?")

    @property
    def body(self) -> str:
        return self.text or self.response or self.prompt or ""

    def known(self) -> dict[str, int]:
        """Return the categories that somebody judged, with 0 or 1."""
        if isinstance(self.labels, list):
            judged = zip(CATEGORIES, self.labels, self.label_mask or (), strict=True)
            return {name: int(value) for name, value, own in judged if own}
        return self.labels or {}

    def row(self) -> Row:
        labels = self.known()
        spans = annotated = None
        if self.spans is not None:
            spans = tuple(TextSpan(s.start, s.end, s.label) for s in self.spans if s.label)
            annotated = frozenset(self.annotated_types) if isinstance(self.annotated_types, list) else None
        foul = labels.get("profanity") == 1
        safe = self.flag == 0 if self.flag is not None else _all_absent(labels)
        slices = {"source": self.source, "kind": self._kind(), "language": self.lang, "length": length(self.body)}
        named = {name: value for name, value in slices.items() if value}
        weight = 1.0 if self.sample_weight is None else self.sample_weight
        return Row(self.body, labels, safe and not foul, spans, annotated, named, weight)

    def _kind(self) -> str | None:
        return self.kind or (None if self.text else "response" if self.response else "prompt")


def _all_absent(labels: dict[str, int]) -> bool:
    """Return whether every category of harm is known, and absent."""
    return set(labels) >= set(CATEGORIES[:-1]) and not any(labels.values())


def length(text: str) -> str:
    """Return the name of the range that the text's length in code points falls in."""
    return next((name for limit, name in LENGTHS if len(text) < limit), LONGEST)


def plain(text: str) -> str:
    """Return `text` in small letters and single spaces: what makes two texts the same."""
    return " ".join(text.casefold().split())


def doubled(rows: Sequence[Row]) -> int:
    """Return how many of `rows` are there once more already, with labels or with spans alike."""
    return len(rows) - len({(plain(row.text), row.spans is None) for row in rows})


def digest(rows: Sequence[Row]) -> str:
    """Return a SHA-256 of the rows in their order, with all that figures are made of."""
    made = hashlib.sha256()
    for row in rows:
        spans = None if row.spans is None else [(s.start, s.end, s.label) for s in row.spans]
        annotated = None if row.annotated is None else sorted(row.annotated)
        known = [row.text, row.labels, row.benign, spans, annotated, row.slices, row.weight]
        made.update(json.dumps(known, sort_keys=True).encode() + b"\n")
    return made.hexdigest()


def read_rows(path: Path) -> list[Row]:
    """Return the rows of a .jsonl or .jsonl.gz file, without those of weight 0.

    Raise OSError, or DataError naming the first bad line.
    """
    rows = [_row(path, number, line) for number, line in _lines(path)]
    if not rows:
        raise DataError(f"{path} has no rows")
    if not (weighty := [row for row in rows if row.weight]):
        raise DataError(f"{path} has only rows whose sample_weight is 0; take that field out to count each once")
    return weighty


def _lines(path: Path) -> Iterator[tuple[int, bytes]]:
    try:
        yield from numbered_lines(path)
    except ValueError as error:
        raise DataError(str(error)) from error


def _row(path: Path, number: int, line: bytes) -> Row:
    try:
        return _Line.model_validate_json(line).row()
    except ValidationError as error:
        raise DataError(f"{path}, line {number}: {_why(error, line)}") from None


def _why(error: ValidationError, line: bytes) -> str:
    first = error.errors(include_input=False, include_url=False)[0]
    if first["type"] == "json_invalid" and "hex escape" in str(first["msg"]):
        return r"has half a character: \ud800 to \udfff stand for one in pairs only"
    if not first["loc"] and first["type"] in ("json_invalid", "model_type"):
        return no_object(line)
    return why(error, FORMS)
