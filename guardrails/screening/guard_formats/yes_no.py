"""Reading of answers that are yes or no."""

from __future__ import annotations

import re

from screening.detectors.served import Reply
from screening.guard_formats.base import CutAnswer, UnknownAnswer, probability, words_of

_SCORE = re.compile(r"<score>\s*(yes|no)\s*</score>", re.IGNORECASE)
_THINKING = re.compile(r"<think>.*?</think>", re.IGNORECASE | re.DOTALL)
# "No hate speech: violated" is neither.
_FIRST = re.compile(r"\W*(yes|no)\b[^\S\n]*(?:\n|[^\w\s]|\Z)", re.IGNORECASE)


def yes_probability(reply: Reply) -> float:
    """Return P(yes), or 1 or 0 where the server gives no log probabilities that agree with the answer.

    The answer is the last `<score>` element, else the first word, after any `<think>` element. Raise GuardAnswerError.
    """
    text = words_of(reply)
    tagged = _SCORE.findall(text)
    first = None if tagged else _FIRST.match(_THINKING.sub("", text))
    if not tagged and first is None:
        raise CutAnswer if reply.cut else UnknownAnswer
    answer = tagged[-1].lower() if tagged else first[1].lower() if first else ""
    thought = "<think" in text.lower()
    return probability(reply, "yes", "no", said=answer == "yes", last=bool(tagged) or thought)
