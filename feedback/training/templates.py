"""Sentence templates of the data folder, with {{slots}} to fill: one a line, line breaks written as \\n."""

from __future__ import annotations

import hashlib
import random
import re
from pathlib import Path

from feedback.training.pii_grammar import Writer, common_slots, drawn_case
from feedback.training.spans import SpanExample, form_of

SOURCE, LICENCE = "presidio_templates", "MIT"
#: Our slot for one of theirs. A template with another slot is left out: sources disagree on what a ZIP code is.
SLOTS = {
    "person": "person",
    "name": "person",
    "name_male": "person",
    "name_female": "person",
    "first_name": "first_name",
    "first_name_male": "first_name",
    "first_name_female": "first_name",
    "last_name": "last_name",
    "prefix": "title",
    "prefix_female": "title",
    "organization": "org",
    "city": "city",
    "country": "country",
    "address": "postal",
    "street_name": "street",
    "building_number": "house_number",
    "secondary_address": "flat",
    "postcode": "postcode",
    "date_time": "date_time",
    "date_of_birth": "date",
    "year": "year",
    "day_of_week": "weekday",
    "nationality": "nationality",
    "nation_woman": "nationality",
    "job": "role",
    "age": "age",
    "phone_number": "phone",
    "email": "email",
    "url": "url",
    "ip_address": "ip_address",
    "credit_card_number": "credit_card",
    "iban": "iban",
    "ssn": "ssn",
    "us_driver_license": "licence_number",
}
_SLOT = re.compile(r"\{\{(\w+)\}\}")


def read_templates(path: Path) -> list[str]:
    """Return the templates that can be filled, each once, in order. Raise OSError, or ValueError if not UTF-8."""
    lines = path.read_text(encoding="utf-8-sig").split("\n")
    found = {line.strip("\r").replace("\\n", "\n").replace("\\,", ",") for line in lines if line.strip()}
    return sorted(line for line in found if set(_SLOT.findall(line)) <= set(SLOTS) and "{" not in _SLOT.sub("", line))


def filled(templates: list[str], *, seed: int, each: int) -> list[SpanExample]:
    """Return up to `each` texts a template with slots, one of another, without repeats; same for same seed."""
    examples: dict[str, SpanExample] = {}
    words = common_slots()
    for line in templates:
        # Numbered within the template: the first text's id gives the side, which more texts must not change.
        name, before = f"{SOURCE}:{hashlib.sha256(line.encode()).hexdigest()[:12]}", len(examples)
        template = _SLOT.sub(lambda slot: f"{{{SLOTS[slot[1]]}}}", line)
        chance = random.Random(f"{seed}:{SOURCE}:{line}")  # noqa: S311 - reproducible, no secrets
        for _ in range(each if template != line else 1):
            writer = Writer(words, chance, drawn_case(chance))
            writer.write(template)
            text, spans = writer.finish()
            if text not in examples:
                own = f"{name}:{len(examples) - before}"
                examples[text] = SpanExample(own, SOURCE, "fragment", text, LICENCE, spans, form=form_of(line))
    return list(examples.values())
