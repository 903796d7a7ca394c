"""Qwen3Guard-Gen: lines "Safety: Safe|Controversial|Unsafe" and "Categories: ...", after a response "Refusal: ..."."""

from __future__ import annotations

import re
from functools import partial

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
    words_of,
)

#: No probabilities are documented for this family; between the two lies what a person should look at.
LEVELS = {"safe": 0.0, "controversial": 0.5, "unsafe": 1.0}
#: Personal information, politically sensitive topics and copyright have no category of ours.
TOPICS: dict[str, tuple[str, ...]] = {
    "violent": ("illicit/violent", "violence"),
    "non-violent illegal acts": ("illicit",),
    "sexual content or sexual acts": ("sexual",),
    "pii": (),
    "personally identifiable information": (),
    "suicide & self-harm": ("self-harm",),
    "unethical acts": ("harassment", "hate"),
    "politically sensitive topics": (),
    "copyright violation": (),
    "jailbreak": ("prompt_injection",),
}
CATEGORIES = (UNSAFE, *dict.fromkeys(name for names in TOPICS.values() for name in names))
_SAFETY = re.compile(r"^\W*safety\W*:\W*(\w+)", re.IGNORECASE | re.MULTILINE)
_TOPICS = re.compile(r"^\W*categor(?:y|ies)\W*:(.*)$", re.IGNORECASE | re.MULTILINE)


def calls(turns: Turns, names: frozenset[str]) -> list[Call]:
    """Return one call: the model's own chat template tells a prompt from a response by the last role."""
    return [Call(body_of(turns, max_tokens=128), partial(read, names=names))]


def read(reply: Reply, *, names: frozenset[str]) -> Scores:
    """Return a score for every category: that of the level for those of the topics named, else 0.

    A level without a known topic says nothing of the categories: an answer only where `names` want it anyway.
    One that names a topic and calls it safe is none.
    """
    text = words_of(reply)
    levels = {word.lower() for word in _SAFETY.findall(text)}
    if len(levels) != 1 or not levels <= LEVELS.keys():
        raise CutAnswer if reply.cut and not levels else UnknownAnswer
    value = LEVELS[levels.pop()]
    scores = dict.fromkeys(CATEGORIES, Score(0.0))
    line = _TOPICS.search(text)
    if value and (reply.cut or line is None):
        raise CutAnswer if reply.cut else UnknownAnswer
    named = _topics(line[1]) if line else []
    topics = [topic for topic in named if topic in TOPICS]
    if (named and not value) or (value and not topics and names.isdisjoint((UNSAFE, ANY))):
        raise UnknownAnswer
    if not value:
        return scores
    scores[UNSAFE] = Score(value, ", ".join(topics))
    return scores | {name: Score(value, topic) for topic in reversed(topics) for name in TOPICS[topic]}


def _topics(line: str) -> list[str]:
    """Return what a line of topics names, each once; nothing for "None"."""
    named = (re.sub(r"\s+", " ", part.strip(" .*\"'[]")).lower().replace(" and ", " & ") for part in line.split(","))
    return [topic for topic in dict.fromkeys(named) if topic not in ("", "none")]
