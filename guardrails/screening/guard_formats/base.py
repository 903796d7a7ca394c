"""What the formats share: a conversation in, calls out, and tolerant reading of what comes back.

Exceptions; each makes the rule unscanned, with the name of its class as the reason:

    GuardAnswerError
    ├── EmptyAnswer        nothing was written
    ├── CutAnswer          it was stopped before it had answered
    └── UnknownAnswer      not in the form of the family, contradictory, or too long
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from screening.detectors.served import ANY, Reply

#: The overall judgement, of every family.
UNSAFE = "unsafe"
#: Characters of the longest answer that is read: at most 128 tokens are asked for.
MAX_ANSWER = 8_192
#: Candidates for each token: what OpenAI's API and the oldest vLLM in use allow.
TOP_LOGPROBS = 5

Turns = list[dict[str, str]]


class GuardAnswerError(Exception):
    """A guard LLM answered nothing that can be used. Messages never quote the answer."""


class EmptyAnswer(GuardAnswerError):
    pass


class CutAnswer(GuardAnswerError):
    pass


class UnknownAnswer(GuardAnswerError):
    pass


@dataclass(frozen=True, slots=True)
class Score:
    """Of one category; `detail` are codes of the family, never the model's own words."""

    value: float
    detail: str = ""


Scores = dict[str, Score]


@dataclass(frozen=True, slots=True)
class Call:
    """One chat completion to send, without model and temperature, and how to read its answer."""

    body: Mapping[str, Any]
    read: Callable[[Reply], Scores]


class GuardFormat(Protocol):
    """A module of this package."""

    @property
    def CATEGORIES(self) -> tuple[str, ...]:
        """The names a rule may map: ours, and UNSAFE."""

    def calls(self, turns: Turns, names: frozenset[str]) -> Sequence[Call]:
        """Return what to send so that the last of `turns` is judged for `names` (ANY: for everything)."""


def body_of(turns: Turns, *, max_tokens: int, **more: Any) -> dict[str, Any]:
    """Return a chat completion that asks for log probabilities as well."""
    return {"messages": turns, "max_tokens": max_tokens, "logprobs": True, "top_logprobs": TOP_LOGPROBS, **more}


def words_of(reply: Reply) -> str:
    """Return the answer in small letters, without the thought before it and blanks around it; raise GuardAnswerError.

    A thought is one `<think>` element at the beginning. Any other tag of that name makes the answer unknown: a judged
    text may have brought it, and then nobody knows where the answer begins.
    """
    if len(reply.text) > MAX_ANSWER:
        raise UnknownAnswer
    text = reply.text.lower().strip()
    if text.startswith("<think>"):
        _, closed, text = text.partition("</think>")
        if reply.cut or not closed:
            raise CutAnswer if reply.cut else UnknownAnswer
        text = text.strip()
    if not text:
        raise CutAnswer if reply.cut else EmptyAnswer
    if "<think" in text or "</think" in text:
        raise UnknownAnswer
    return text


def whole_of(reply: Reply) -> str:
    """Return `words_of` an answer that may not be cut: the list of reasons at its end may go on."""
    text = words_of(reply)
    if reply.cut:
        raise CutAnswer
    return text


def bare(text: str) -> str:
    """Return `text` without the marks that models put around words."""
    return text.strip(" .:*\"'`[]()")


def by_reasons(
    value: float, reasons: Sequence[str], table: Mapping[str, tuple[str, ...]], names: frozenset[str]
) -> Scores:
    """Return `value` for UNSAFE and the categories of the `reasons` given, 0 for the others of `table`.

    Raise UnknownAnswer where there is no reason or one that `table` lacks: it may be of any category. Not where UNSAFE,
    ANY and categories of reasons that are known is all that `names` want: those are certain.
    """
    known = [reason for reason in dict.fromkeys(reasons) if reason in table]
    found = {UNSAFE: Score(value, ", ".join(known))}
    found |= {name: Score(value, reason) for reason in reversed(known) for name in table[reason]}
    if not (reasons and table.keys() >= set(reasons)) and not names <= {ANY, *found}:
        raise UnknownAnswer
    return dict.fromkeys((UNSAFE, *(name for own in table.values() for name in own)), Score(0.0)) | found


def probability(reply: Reply, flags: str, passes: str, *, said: str, last: bool = False) -> float:
    """Return P(flags) against `passes` where the model wrote what it `said` (the first time, or the last).

    1 or 0, by what it said, when the server gave no log probabilities for that word, as where it is written in pieces.
    Raise UnknownAnswer when they contradict it: the other word is the likelier one there, or it is the only one that
    the tokens have, where what was said passes.
    """
    written = [token for token in reply.tokens if _word(token.text) == said]
    if not written:
        if said == passes and any(_word(token.text) == flags for token in reply.tokens):
            raise UnknownAnswer
        return float(said == flags)
    mass = dict.fromkeys((flags, passes), 0.0)
    for candidate, logprob in written[-1 if last else 0].candidates.items():
        if (word := _word(candidate)) in mass:
            mass[word] += math.exp(min(0.0, logprob))
    if mass[said] < max(mass.values()):
        raise UnknownAnswer
    total = sum(mass.values())
    return mass[flags] / total if total > 0 else float(said == flags)


def _word(token: str) -> str:
    return re.sub(r"[^a-z]", "", token.lower())
