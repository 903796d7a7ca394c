"""What the fields of a labelled text may hold, for every file of them; what is wrong is said without quoting a text."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping, Sequence
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from screening.categories import MODEL_CATEGORIES, SEXUAL_MINORS

#: As feedback.selectors has them, which needs Django: training does not.
CATEGORIES = (*MODEL_CATEGORIES, SEXUAL_MINORS)
#: Labels that are named in a message; the rest are counted.
NAMED = 8


class Fields(BaseModel):
    """A line, or an object in one. Other fields are left alone."""

    model_config = ConfigDict(extra="ignore", hide_input_in_errors=True)


class SpanFields(Fields):
    """`text[start:end]`, in code points. A label of None: an entity of some other kind."""

    start: Annotated[int, Field(ge=0)]
    end: int
    label: str | None


Label = Annotated[int, Field(ge=0, le=1)]


def check_categories(names: Iterable[str]) -> None:
    """Raise ValueError naming the first that is no category, with the one that may be meant."""
    for name in names:
        if name not in CATEGORIES:
            near = difflib.get_close_matches(name, CATEGORIES, n=1)
            raise ValueError(f"unknown category {name!r}" + (f"; did you mean {near[0]!r}?" if near else ""))


def check_harmless(flag: int | None, labels: Mapping[str, int]) -> None:
    """Raise ValueError naming a harm of a text whose `flag` is 0. Profanity alone harms nobody."""
    harms = [name for name, value in labels.items() if value and name != "profanity"]
    if flag == 0 and harms:
        raise ValueError(f"`flag` is 0, and {harms[0]} 1: a text with a harm is not harmless as a whole")


def check_inside(spans: Iterable[SpanFields], text: str) -> None:
    """Raise ValueError when a span is empty, reversed or not inside `text`."""
    if any(not span.start < span.end <= len(text) for span in spans):
        raise ValueError("a span does not lie inside the text; offsets count code points, the end excluded")


def why(error: ValidationError, forms: Mapping[str, str]) -> str:
    """Return what is wrong, with the field; messages name fields and limits, not contents.

    `forms` says of fields what they may hold, where the library's words for it say too little.
    """
    errors = error.errors(include_input=False, include_url=False)
    first = errors[0]
    if first["loc"] and first["loc"][0] in forms:  # each form was tried: what went deepest is the one that was meant
        first = max((e for e in errors if e["loc"][0] == first["loc"][0]), key=lambda e: len(e["loc"]))
    tried = ("dict[", "list[", "literal[", "constrained")
    place = ".".join(str(part) for part in first["loc"] if not str(part).startswith(tried))
    if place in forms:
        return f"{place}: write {forms[place]}"
    message = str(first["msg"]).removeprefix("Value error, ")
    return f"{place}: {message}" if place else message


def named(labels: Sequence[str], entities: Sequence[str]) -> str:
    """Return the first of `labels`, each with the entity that may be meant, and how many more there are."""
    more = f" and {len(labels) - NAMED} more" if len(labels) > NAMED else ""
    return ", ".join(_hinted(label, entities) for label in labels[:NAMED]) + more


def _hinted(label: str, entities: Sequence[str]) -> str:
    """Return a label with the entity that may be meant: one that begins alike, or is spelled nearly so."""
    begin = [entity for entity in entities if entity.startswith(label.upper())]
    near = (begin or difflib.get_close_matches(label.upper(), entities, n=1))[:1]
    return f"{label!r} (did you mean {near[0]!r}?)" if near else repr(label)
