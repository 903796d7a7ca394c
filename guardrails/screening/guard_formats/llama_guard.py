"""Llama Guard 3 and 4: "safe", or "unsafe" and a line of hazard codes S1 to S14. Score: P("unsafe")."""

from __future__ import annotations

import re
from functools import partial

from screening.categories import SEXUAL_MINORS
from screening.detectors.served import Reply
from screening.guard_formats.base import (
    UNSAFE,
    Call,
    Score,
    Scores,
    Turns,
    UnknownAnswer,
    bare,
    body_of,
    by_reasons,
    probability,
    whole_of,
)

#: The MLCommons hazards. S6 (specialised advice), S7 (privacy), S8 (intellectual property) and S13 (elections) have no
#: category of ours: they show in the detail of `unsafe`.
HAZARDS: dict[str, tuple[str, ...]] = {
    "S1": ("illicit/violent", "violence"),
    "S2": ("illicit",),
    "S3": ("illicit", "sexual"),
    "S4": (SEXUAL_MINORS,),
    "S5": ("harassment",),
    "S6": (),
    "S7": (),
    "S8": (),
    "S9": ("illicit/violent",),
    "S10": ("hate",),
    "S11": ("self-harm",),
    "S12": ("sexual",),
    "S13": (),
    "S14": ("illicit",),
}
CATEGORIES = (UNSAFE, *dict.fromkeys(name for names in HAZARDS.values() for name in names))
_CODE = re.compile(r"s(\d{1,2})")


def calls(turns: Turns, names: frozenset[str]) -> list[Call]:
    """Return one call: the model's own chat template holds policy and question."""
    return [Call(body_of(turns, max_tokens=64), partial(read, names=names))]


def read(reply: Reply, *, names: frozenset[str]) -> Scores:
    """Return a score for every category: that of "unsafe" for those of the hazards named, else 0.

    What follows "unsafe" and is no known hazard may be of any category; see `by_reasons`.
    """
    first, *codes = [word for part in re.split(r"[\s,]+", whole_of(reply)) if (word := bare(part))] or [""]
    if first not in ("safe", "unsafe") or (codes and first == "safe"):
        raise UnknownAnswer
    value = probability(reply, "unsafe", "safe", said=first)
    if first == "safe":
        return dict.fromkeys(CATEGORIES, Score(0.0)) | {UNSAFE: Score(value)}
    return by_reasons(value, [_code(code) for code in codes], HAZARDS, names)


def _code(word: str) -> str:
    code = _CODE.fullmatch(word)
    return f"S{int(code[1])}" if code else word
