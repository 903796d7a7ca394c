"""Qwen3Guard-Gen: lines "Safety: Safe|Controversial|Unsafe" and "Categories: ...", after a response "Refusal: ..."."""

from __future__ import annotations

import re

from screening.detectors.served import Reply
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
    "none": (),
}
CATEGORIES = (UNSAFE, *dict.fromkeys(name for names in TOPICS.values() for name in names))
_SAFETY = re.compile(r"^\W*safety\W*:\W*(\w+)", re.IGNORECASE | re.MULTILINE)
_TOPICS = re.compile(r"^\W*categor(?:y|ies)\W*:(.*)$", re.IGNORECASE | re.MULTILINE)


def calls(turns: Turns, names: frozenset[str]) -> list[Call]:
    """Return one call: the model's own chat template tells a prompt from a response by the last role."""
    return [Call(body_of(turns, max_tokens=128), read)]


def read(reply: Reply) -> Scores:
    """Return a score for every category: that of the level for those of the topics named, else 0."""
    text = words_of(reply)
    levels = {word.lower() for word in _SAFETY.findall(text)}
    if len(levels) != 1 or not levels <= LEVELS.keys():
        raise CutAnswer if reply.cut and not levels else UnknownAnswer
    value = LEVELS[levels.pop()]
    scores = dict.fromkeys(CATEGORIES, Score(0.0))
    if not value:
        return scores
    line = _TOPICS.search(text)
    if reply.cut or line is None:
        raise CutAnswer if reply.cut else UnknownAnswer
    named = [re.sub(r"\s+", " ", part.strip(" .*\"'[]")).lower().replace(" and ", " & ") for part in line[1].split(",")]
    topics = [topic for topic in dict.fromkeys(named) if topic in TOPICS and topic != "none"]
    scores[UNSAFE] = Score(value, ", ".join(topics))
    return scores | {name: Score(value, topic) for topic in reversed(topics) for name in TOPICS[topic]}
