"""Reading of answers that are yes or no. What passes must be certain; what flags may be said in more words."""

from __future__ import annotations

import re

from screening.detectors.served import Reply
from screening.guard_formats.base import CutAnswer, UnknownAnswer, probability, words_of

_SCORE = re.compile(r"<score>\s*(yes|no)\s*</score>")
# A word that ends its line or, with a mark, may have an explanation behind it. "No hate speech: violated" is neither.
_ANSWER = re.compile(
    rf"""[\s*"'`]*(?:{_SCORE.pattern}|(yes|no)["'*`]*(?:[.,!]["'*`]*(?=\s|\Z)|[^\S\n]*(?=\n|\Z|<confidence>)))"""
)


def yes_probability(reply: Reply) -> float:
    """Return P(yes), where no passes; or 1 or 0 where the server gives no log probabilities. Raise GuardAnswerError.

    The answer is what comes first after any thought: a `<score>` element or a word. It is unknown where another element
    says otherwise, and a no where a yes follows.
    """
    return _probability(reply, "yes", "no")


def no_probability(reply: Reply) -> float:
    """Return P(no), where yes passes; else as `yes_probability`, and a yes is unknown where a no follows."""
    return _probability(reply, "no", "yes")


def _probability(reply: Reply, flags: str, passes: str) -> float:
    text = words_of(reply)
    answer = _ANSWER.match(text)
    if answer is None or (answer[1] and reply.cut):
        raise CutAnswer if reply.cut else UnknownAnswer
    said = answer[1] or answer[2]
    contradicted = said == passes and re.search(rf"\b{flags}\b", text[answer.end() :])
    if contradicted or not {said}.issuperset(_SCORE.findall(text)):
        raise UnknownAnswer
    thought = "</think>" in reply.text.lower()
    return probability(reply, flags, passes, said=said, last=thought)
