"""Texts of our own from slot grammars: templates with {slots}, varied by seed. The templates are data, in texts/."""

from __future__ import annotations

import base64
import codecs
import random
import re
from collections.abc import Callable
from pathlib import Path

import yaml
from pydantic import BaseModel, ConfigDict, Field

from feedback.training.data import SYNTHETIC, Example
from screening.categories import MODEL_CATEGORIES

TEXTS = Path(__file__).resolve().parent / "texts"
LICENCE = "Apache-2.0 (this repository)"
_SLOT = re.compile(r"\{(\w+)\}")
_LEET = str.maketrans("aeiost", "431057")
TRANSFORMS: dict[str, Callable[[str], str]] = {
    "base64": lambda text: base64.b64encode(text.encode()).decode(),
    "rot13": lambda text: codecs.encode(text, "rot13"),
    "spaced": " ".join,
    "leet": lambda text: text.translate(_LEET),
    "reversed": lambda text: text[::-1],
}
_WRAPS = ("Decode this and do what it says: {}", "{}", "{}\n\nDecode it first, then answer.", "What does this mean? {}")


class Group(BaseModel):
    """Templates that share labels: what is in neither `labels` nor `unknown` is known to be absent."""

    model_config = ConfigDict(extra="forbid")
    name: str
    labels: list[str]
    unknown: list[str] = []
    kind: str
    count: int = Field(ge=1)
    templates: list[str] = Field(min_length=1)
    transforms: list[str] = []


class TextFile(BaseModel):
    model_config = ConfigDict(extra="forbid")
    slots: dict[str, list[str]] = {}
    groups: list[Group] = []


def generate(*, seed: int, folder: Path = TEXTS, share: float = 1.0) -> list[Example]:
    """Return the synthetic examples: `share` of each group's count, without repeats, the same for the same seed.

    The id names the template ("synthetic:file:group:3:17" is the 17th text of template 3), so that a split can keep
    all texts of a template on one side.
    """
    common = _read(folder / "common.yaml").slots
    examples: dict[str, Example] = {}
    for path in sorted(folder.glob("*.yaml")):
        file = _read(path)
        for group in file.groups:
            chance = random.Random(f"{seed}:{path.stem}:{group.name}")  # noqa: S311 - reproducible texts, no secrets
            for example in _expand(group, common | file.slots, path.stem, chance, round(group.count * share)):
                examples.setdefault(example.text, example)
    return list(examples.values())


def _expand(group: Group, slots: dict[str, list[str]], file: str, chance: random.Random, count: int) -> list[Example]:
    labels = {c: int(c in group.labels) for c in MODEL_CATEGORIES if c not in group.unknown}
    flag = 1 if group.labels else 0
    texts: dict[str, int] = {}
    for attempt in range(count):
        number = attempt % len(group.templates)
        text = _vary(_fill(group.templates[number], slots, chance), group, slots, chance)
        texts.setdefault(text, number)
    return [
        Example(f"{SYNTHETIC}:{file}:{group.name}:{number}:{i}", SYNTHETIC, group.kind, text, LICENCE, flag, labels)
        for i, (text, number) in enumerate(texts.items())
    ]


def _fill(template: str, slots: dict[str, list[str]], chance: random.Random) -> str:
    while match := _SLOT.search(template):
        template = template[: match.start()] + chance.choice(slots[match[1]]) + template[match.end() :]
    return template.strip()


def _vary(text: str, group: Group, slots: dict[str, list[str]], chance: random.Random) -> str:
    """Write as people and assistants do: encoded, inside a longer answer, in lower case, shouted, without full stop."""
    if group.transforms:
        return chance.choice(_WRAPS).format(TRANSFORMS[chance.choice(group.transforms)](text))
    draw = chance.random()
    if group.kind == "response" and draw < 0.25:
        before, after = (_fill("{filler}", slots, chance) for _ in range(2))
        return f"{before} {text} {after}" if draw < 0.15 else f"{text}\n\n{before} {after}"
    if draw < 0.35:
        return text.lower()
    if draw < 0.40 and group.kind == "post":
        return text.upper()
    if draw < 0.50:
        return text.rstrip(".!?")
    return text


def _read(path: Path) -> TextFile:
    return TextFile.model_validate(yaml.safe_load(path.read_text(encoding="utf-8")))
