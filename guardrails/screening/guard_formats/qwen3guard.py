"""Qwen3Guard-Gen: lines "Safety: Safe|Controversial|Unsafe" and "Categories: ...", after a response "Refusal: ..."."""

from __future__ import annotations

from functools import partial

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
    whole_of,
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
_FIELDS = {"safety": "safety", "categories": "categories", "category": "categories", "refusal": "refusal"}


def calls(turns: Turns, names: frozenset[str]) -> list[Call]:
    """Return one call: the model's own chat template tells a prompt from a response by the last role."""
    return [Call(body_of(turns, max_tokens=128), partial(read, names=names))]


def read(reply: Reply, *, names: frozenset[str]) -> Scores:
    """Return a score for every category: that of the level for those of the topics named, else 0.

    A topic that is not known, or a line that is none of the format, may be of any category; see `by_reasons`. Either
    makes an answer that says "safe" none.
    """
    lines = [_field(line) for line in whole_of(reply).splitlines() if line.strip()]
    levels = {value for field, value in lines if field == "safety"}
    if len(levels) != 1 or not levels <= LEVELS.keys():
        raise UnknownAnswer
    value = LEVELS[levels.pop()]
    topics = [topic for field, given in lines if field == "categories" for topic in _topics(given)]
    other = [given for field, given in lines if not field or (field == "refusal" and given not in ("yes", "no"))]
    if value:
        return by_reasons(value, [*topics, *other], TOPICS, names)
    if other or set(topics) - {"none"}:
        raise UnknownAnswer
    return dict.fromkeys(CATEGORIES, Score(0.0))


def _field(line: str) -> tuple[str, str]:
    """Return the field of a line, empty for a line of no known one, and what is said there."""
    name, _, value = line.partition(":")
    field = _FIELDS.get(bare(name), "")
    return (field, bare(value)) if field else ("", line)


def _topics(given: str) -> list[str]:
    """Return what a line of topics names."""
    named = (" ".join(bare(part).split()).replace(" and ", " & ") for part in given.split(","))
    return [topic for topic in named if topic]
