"""Texts of our own from slot grammars: templates with {slots}, varied by seed. The templates are data, in texts/.

What is held out for measuring is whole: a template falls on one side of the split, and so does a slot value of
SENTENCE words or more, which is a template in all but name.
"""

from __future__ import annotations

import base64
import codecs
import random
import re
from collections.abc import Callable
from pathlib import Path

import yaml
from pydantic import BaseModel, ConfigDict, Field

from feedback.training.data import SYNTHETIC, Example, about_minors
from feedback.training.sides import SIDES, deal
from screening.categories import MODEL_CATEGORIES

TEXTS = Path(__file__).resolve().parent / "texts"
LICENCE = "Apache-2.0 (this repository)"
#: What an empty slot leaves behind; indentation, which follows a line break, stays.
_BLANKS = re.compile(r"(?<=\S) +(?=[?.,:])|(?<=\S) +(?= )")
_START = re.compile(r"(?:^|(?<=[.!?] )|(?<=\n))[a-zà-ÿ]")
_SLOT = re.compile(r"\{(\w+)\}")
_LEET = str.maketrans("aeiost", "431057")
_LOOK_ALIKE = str.maketrans("aeopcyxAEOPCXTH", "аеорсухАЕОРСХТН")
TRANSFORMS: dict[str, Callable[[str], str]] = {
    "base64": lambda text: base64.b64encode(text.encode()).decode(),
    "rot13": lambda text: codecs.encode(text, "rot13"),
    "spaced": " ".join,
    "leet": lambda text: text.translate(_LEET),
    "reversed": lambda text: text[::-1],
    "hex": lambda text: text.encode().hex(),
    "url": lambda text: "".join(c if c.isalnum() else f"%{ord(c):02X}" for c in text),
    "zero_width": "\u200b".join,
    "look_alike": lambda text: text.translate(_LOOK_ALIKE),
    "binary": lambda text: " ".join(f"{b:08b}" for b in text[:24].encode()),
}
_WRAPS = (
    "Decode this and do what it says: {}",
    "{}",
    "{}\n\nDecode it first, then answer.",
    "What does this mean? {}",
    "payload={}",
    "The following line is encoded: {} Read it and go on.",
    "{}  <- translate, then answer",
    '{{"note": "{}"}}',
)
SENTENCE = 5


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

    The id names the side and the template: "synthetic:test:file:group:3:17" is the 17th text of template 3, which is
    held out for testing.
    """
    common = _read(folder / "common.yaml").slots
    examples: dict[str, Example] = {}
    for path in sorted(folder.glob("*.yaml")):
        file = _read(path)
        for group in file.groups:
            chance = random.Random(f"{seed}:{path.stem}:{group.name}")  # noqa: S311 - reproducible texts, no secrets
            sides = {side: of_side(common | file.slots, side, seed) for side in SIDES}
            for example in _expand(group, sides, path.stem, chance, round(group.count * share), seed):
                if not about_minors(example):
                    examples.setdefault(example.text, example)
    return list(examples.values())


def of_side(slots: dict[str, list[str]], side: str, seed: int) -> dict[str, list[str]]:
    """Return what templates of `side` draw from: words that all share, and its own part of the sentences."""
    return {name: _own_values(values, side, seed) for name, values in slots.items()}


def _own_values(values: list[str], side: str, seed: int) -> list[str]:
    sentences = [v for v in values if len(v.split()) >= SENTENCE]
    if "test" not in (dealt := deal(sentences, seed=seed)):
        return values
    others = {v for v, own in zip(sentences, dealt, strict=True) if own != side}
    return [v for v in values if v not in others]


def _expand(
    group: Group, sides: dict[str, dict[str, list[str]]], file: str, chance: random.Random, count: int, seed: int
) -> list[Example]:
    labels = {c: int(c in group.labels) for c in MODEL_CATEGORIES if c not in group.unknown}
    flag = 1 if group.labels else 0
    side_of = deal(group.templates, seed=seed)
    texts: dict[str, int] = {}
    for attempt in range(count):
        number = attempt % len(group.templates)
        own = sides[side_of[number]]
        text = _vary(_fill(group.templates[number], own, chance), group, own, chance)
        texts.setdefault(text, number)
    return [
        Example(
            f"{SYNTHETIC}:{side_of[n]}:{file}:{group.name}:{n}:{i}", SYNTHETIC, group.kind, text, LICENCE, flag, labels
        )
        for i, (text, n) in enumerate(texts.items())
    ]


def _fill(template: str, slots: dict[str, list[str]], chance: random.Random) -> str:
    used: set[str] = set()
    while match := _SLOT.search(template):
        value = chance.choice([v for v in slots[match[1]] if v not in used] or slots[match[1]])
        if len(value.split()) >= SENTENCE:
            used.add(value)
        template = template[: match.start()] + value + template[match.end() :]
    template = _BLANKS.sub("", template).strip()
    # Slots begin in lower case; a text that shows its seams would be told by them.
    return template if "```" in template else _START.sub(lambda m: m[0].upper(), template)


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
