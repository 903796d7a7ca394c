"""Expressions of policies, searched for within a deadline.

RE2 is linear in the text, but by a factor: where a text makes its automaton outgrow the memory that it has, each
character costs as much as the program is long, 10 s for 300,000 characters. And a search cannot be stopped.
"""

from __future__ import annotations

import math
import re
import sys
from collections.abc import Iterator
from re import _parser  # the only way to ask how long a match can be

from screening.detectors.linear_regex import PatternError, compile_linear
from screening.findings import Deadline, DeadlineExceeded

#: Characters searched between two looks at the clock; with the largest programs they take up to 0.4 s.
STRETCH = 8_000
#: Seconds that a character takes RE2 at its slowest: an instruction, and an instruction where each class counts as one.
#: Either is an upper limit; measured 2 to 5e-9, and up to 8e-8 where the classes are those of Unicode.
SLOWEST = 5e-9
SLOWEST_OF_CLASSES = 8e-8

# What is as long as one character, nothing, or itself in Python, where RE2 and Python write or read it differently.
_TOKEN = re.compile(
    r"(?P<one>\[\^?\]?(?:\\.|\[:\^?\w+:\]|[^\]\\])*\]|\\[pP](?:\{[^}]*\}|.)|\\x(?:\{[0-9A-Fa-f]+\}|[0-9A-Fa-f]{2})"
    r"|\\[0-7]{2,3}|\\0|\\[^AbBzCQE1-9])|(?P<none>\\[Abz])|(?P<flags>\(\?[imsU-]+\))"
    r"|(?P<group>\(\?[imsU-]+:|\(\?P?<\w+>)|(?P<brace>\{,)",
    re.DOTALL,
)


class TimedRegex:
    """An expression in RE2 syntax whose searches heed a deadline. Safe for several threads."""

    def __init__(self, expression: str) -> None:
        """Raise PatternError as compile_linear does."""
        self._regex = compile_linear(expression)
        plain = _TOKEN.sub(_plain, expression)
        self._longest = _longest(plain)
        self._slowest = 0.0
        if self._longest is None:
            self._slowest = min(SLOWEST * self._regex.programsize, SLOWEST_OF_CLASSES * _size(plain))

    def found(self, text: str, deadline: Deadline) -> bool:
        """Return whether there is a match, be it empty; else as `spans`."""
        return next(self._matches(text, deadline), None) is not None

    def spans(self, text: str, deadline: Deadline) -> Iterator[tuple[int, int]]:
        """Yield start and end (code points) of every match that is not empty, as one search gives them.

        Raise DeadlineExceeded, also before a search that cannot be done in stretches and may take longer than is left.
        `text` is encodable.
        """
        return (span for span in self._matches(text, deadline) if span[0] < span[1])

    def _matches(self, text: str, deadline: Deadline) -> Iterator[tuple[int, int]]:
        if self._longest is None or len(text) <= STRETCH:
            if len(text) > STRETCH and self._slowest * len(text) > deadline.remaining():
                raise DeadlineExceeded
            yield from self._within(text, 0, sys.maxsize - 1, sys.maxsize - 1, deadline)
            return
        begin = 0
        # One more: at the very end there may be an empty match.
        for start in range(0, len(text) + 1, STRETCH):
            end = start + STRETCH
            for span in self._within(text, max(begin, start), end, end + self._longest, deadline):
                begin = span[1]
                yield span

    def _within(self, text: str, begin: int, end: int, limit: int, deadline: Deadline) -> Iterator[tuple[int, int]]:
        """Yield the matches that begin from `begin` to `end`; with a character around, they lie up to `limit`."""
        deadline.check()
        if begin >= end:
            return
        before = max(begin - 1, 0)
        for match in self._regex.finditer(text[before : limit + 1], begin - before):
            deadline.check()
            if before + match.start() >= end:
                return
            yield before + match.start(), before + match.end()


def _plain(token: re.Match[str]) -> str:
    return {"one": "x", "none": r"\b", "flags": "", "group": "(", "brace": r"\{,"}[token.lastgroup or ""]


def _longest(plain: str) -> int | None:
    """Return the number of characters in the longest match; None when there is no limit, or nobody can tell."""
    if r"\B" in plain:
        return None  # as `\C`, it has places inside a character to RE2
    try:
        longest: int = _parser.parse(plain).getwidth()[1]
    except (re.error, RecursionError, OverflowError):
        return None
    return longest if longest < _parser.MAXREPEAT else None


def _size(plain: str) -> float:
    try:
        return compile_linear(plain).programsize
    except PatternError:
        return math.inf
