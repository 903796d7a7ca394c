"""Texts of our own with personal data: templates with {slots} whose places are known exactly."""

from __future__ import annotations

import random
import re
from collections.abc import Callable
from pathlib import Path

import yaml
from pydantic import BaseModel, ConfigDict, Field

from feedback.training.data import SYNTHETIC
from feedback.training.entities import Values
from feedback.training.grammar import LICENCE, TEXTS
from feedback.training.sides import deal
from feedback.training.spans import SpanExample, TextSpan, whole

PII_TEXTS = TEXTS / "pii"
_SLOT = re.compile(r"\{(\w+)\}")
#: What an entity slot draws, and what its place is labelled; "" where the token head must find nothing.
ENTITIES: dict[str, tuple[Callable[[Values], str], str]] = {
    "person": (Values.person, "PERSON"),
    "first_name": (Values.first_name, "PERSON"),
    "last_name": (Values.last_name, "PERSON"),
    "location": (Values.location, "LOCATION"),
    "org": (Values.organization, "ORGANIZATION"),
    "address": (Values.address, "ADDRESS"),
    "address_lines": (Values.address_lines, "ADDRESS"),
    "street": (Values.street, "ADDRESS"),
    "postal": (Values.postal, "ADDRESS"),
    "house_number": (Values.house_number, "ADDRESS"),
    "flat": (Values.flat, "ADDRESS"),
    "postcode": (Values.postcode, "ADDRESS"),
    "city": (Values.city, "LOCATION"),
    "country": (Values.country, "LOCATION"),
    "date": (Values.date, "DATE_TIME"),
    "time": (Values.time, "DATE_TIME"),
    "date_time": (Values.date_time, "DATE_TIME"),
    "stamp": (Values.stamp, "DATE_TIME"),
    "year": (Values.year, "DATE_TIME"),
    "weekday": (Values.weekday, "DATE_TIME"),
    "email": (Values.email, ""),
    "phone": (Values.phone, ""),
    "age": (Values.age, ""),
    "url": (Values.url, ""),
    "ip_address": (Values.ip_address, ""),
    "credit_card": (Values.credit_card, ""),
    "iban": (Values.iban, ""),
    "ssn": (Values.ssn, ""),
    "licence_number": (Values.licence_number, ""),
}
_AS_IS: Callable[[str], str] = str
#: How a whole text is written; code and tables stay as they are.
CASES: tuple[tuple[float, Callable[[str], str]], ...] = ((0.14, str.lower), (0.17, str.upper), (1.0, _AS_IS))


class PiiGroup(BaseModel):
    model_config = ConfigDict(extra="forbid")
    name: str
    kind: str
    count: int = Field(ge=1)
    cased: bool = False
    templates: list[str] = Field(min_length=1)


class PiiFile(BaseModel):
    model_config = ConfigDict(extra="forbid")
    slots: dict[str, list[str]] = {}
    groups: list[PiiGroup] = []


def generate_spans(*, seed: int, folder: Path = PII_TEXTS, share: float = 1.0) -> list[SpanExample]:
    """Return synthetic texts with their spans: `share` of each group's count, without repeats, same for same seed.

    Ids name side and template as in `grammar.generate`.
    """
    slots = _read(folder / "common.yaml").slots
    examples: dict[str, SpanExample] = {}
    for path in sorted(folder.glob("*.yaml")):
        file = _read(path)
        for group in file.groups:
            chance = random.Random(f"{seed}:pii:{path.stem}:{group.name}")  # noqa: S311 - reproducible, no secrets
            side_of = deal(group.templates, seed=seed)
            for i in range(round(group.count * share)):
                number = i % len(group.templates)
                case = _AS_IS if group.cased else drawn_case(chance)
                writer = Writer(slots | file.slots, chance, case)
                writer.write(group.templates[number])
                name = f"{SYNTHETIC}:{side_of[number]}:pii-{path.stem}:{group.name}:{number}:{i}"
                text, spans = writer.finish()
                examples.setdefault(text, SpanExample(name, SYNTHETIC, group.kind, text, LICENCE, spans))
    return list(examples.values())


class Writer:
    """Fills templates from left to right and knows where each entity came to stand."""

    def __init__(self, slots: dict[str, list[str]], chance: random.Random, case: Callable[[str], str]) -> None:
        self._slots, self._chance, self._case = slots, chance, case
        self._values = Values(chance, slots)
        self._text, self._spans = "", list[TextSpan]()

    def write(self, template: str) -> None:
        at = 0
        for slot in _SLOT.finditer(template):
            self._text += self._case(template[at : slot.start()])
            self._fill(slot[1])
            at = slot.end()
        self._text += self._case(template[at:])

    def _fill(self, name: str) -> None:
        if name not in ENTITIES:
            self.write(self._chance.choice(self._slots[name]))
            return
        draw, label = ENTITIES[name]
        value = self._case(draw(self._values).strip())
        start = len(self._text) + (4 if value.casefold().startswith("the ") else 0)
        self._text += value
        if label:
            self._spans.append(TextSpan(start, len(self._text), label))

    def finish(self) -> tuple[str, tuple[TextSpan, ...]]:
        return self._text, whole(self._text, self._spans)


def drawn_case(chance: random.Random) -> Callable[[str], str]:
    """Return how a whole text is written."""
    draw = chance.random()
    return next(case for limit, case in CASES if draw < limit)


def common_slots() -> dict[str, list[str]]:
    """Return the values and phrases that any text may use."""
    return _read(PII_TEXTS / "common.yaml").slots


def _read(path: Path) -> PiiFile:
    return PiiFile.model_validate(yaml.safe_load(path.read_text(encoding="utf-8")))
