"""Llama Guard 3 and 4: "safe", or "unsafe" and a line of hazard codes S1 to S14. Score: P("unsafe")."""

from __future__ import annotations

import re
from functools import partial

from screening.categories import SEXUAL_MINORS
from screening.detectors.served import ANY, Reply
from screening.guard_formats.base import (
    UNSAFE,
    Call,
    CutAnswer,
    Score,
    Scores,
    Turns,
    UnknownAnswer,
    body_of,
    probability,
    words_of,
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
_CODE = re.compile(r"\bS(\d{1,2})\b", re.IGNORECASE)
_WORD = re.compile(r"\w+")


def calls(turns: Turns, names: frozenset[str]) -> list[Call]:
    """Return one call: the model's own chat template holds policy and question."""
    return [Call(body_of(turns, max_tokens=64), partial(read, names=names))]


def read(reply: Reply, *, names: frozenset[str]) -> Scores:
    """Return a score for every category: that of "unsafe" for those of the hazards named, else 0.

    "unsafe" without a known hazard says nothing of the categories: an answer only where `names` want it anyway.
    """
    text = words_of(reply)
    words = _WORD.findall(text.lower())
    scores = dict.fromkeys(CATEGORIES, Score(0.0))
    if words == ["safe"]:
        return scores | {UNSAFE: Score(probability(reply, "unsafe", "safe", said=False))}
    if words[:1] != ["unsafe"]:
        raise UnknownAnswer
    if reply.cut:
        raise CutAnswer  # the list of hazards may go on
    value = probability(reply, "unsafe", "safe", said=True)
    codes = list(dict.fromkeys(f"S{int(number)}" for number in _CODE.findall(text)))
    known = [code for code in codes if code in HAZARDS]
    if not known and names.isdisjoint((UNSAFE, ANY)):
        raise UnknownAnswer
    scores[UNSAFE] = Score(value, ", ".join(known))
    return scores | {name: Score(value, code) for code in reversed(known) for name in HAZARDS[code]}
