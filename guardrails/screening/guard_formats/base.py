"""What the formats share: a conversation in, calls out, and tolerant reading of what comes back.

Exceptions; each makes the rule unscanned, with the name of its class as the reason:

    GuardAnswerError
    ├── EmptyAnswer        nothing was written
    ├── CutAnswer          it was stopped before it had answered
    └── UnknownAnswer      not in the form of the family
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from screening.detectors.served import Reply

#: The overall judgement, of every family.
UNSAFE = "unsafe"
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
    """Return the answer without blanks around it; raise EmptyAnswer."""
    text = reply.text.strip()
    if not text:
        raise CutAnswer if reply.cut else EmptyAnswer
    return text


def probability(reply: Reply, yes: str, no: str, *, said: bool, last: bool = False) -> float:
    """Return P(yes) against `no` where the model wrote one of the two (the first time, or the last).

    1 or 0, by what it `said`, when the server gave no log probabilities for that token, or some that say otherwise:
    then the token is another one, or part of a word.
    """
    likely = _likely(reply, yes, no, last=last)
    return float(said) if likely is None or said != (likely >= 0.5) else likely


def _likely(reply: Reply, yes: str, no: str, *, last: bool) -> float | None:
    for token in reversed(reply.tokens) if last else reply.tokens:
        if _bare(token.text) not in (yes, no):
            continue
        mass = dict.fromkeys((yes, no), 0.0)
        for candidate, logprob in token.candidates.items():
            if (word := _bare(candidate)) in mass:
                mass[word] += math.exp(min(0.0, logprob))
        total = sum(mass.values())
        return mass[yes] / total if total > 0 else None
    return None


def _bare(token: str) -> str:
    return re.sub(r"[^a-z]", "", token.lower())
