"""The matches of Presidio's expressions, looked for only where the prefilter says one may end.

Every search gives what the expression's own `finditer` gives on the whole text.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from re import _parser  # the only way to ask how long a match can be
from typing import Any

import regex

from screening.detectors.linear_regex import Regex, encodable
from screening.findings import Deadline, DeadlineExceeded

Span = tuple[int, int]

# No expression looks further beyond the end of a match.
_LOOK = 16


class Search:
    """An expression of bounded length: each end is looked back from as far as a match can begin before it."""

    def __init__(self, expression: str, flags: int) -> None:
        self._expression = regex.compile(expression, flags=flags)
        self._longest = longest(expression)

    def spans(self, text: str, ends: Sequence[int] | None, deadline: Deadline) -> Iterator[Sequence[Span]]:
        """Yield for each match the spans that it may stand for, the preferred one first.

        `ends`, in order, has the end of every match in it; None: look through the whole text. Raise DeadlineExceeded.
        """
        for match in self._matches(text, ends, deadline):
            yield (match.span(),)

    def _matches(self, text: str, ends: Sequence[int] | None, deadline: Deadline) -> Iterator[Any]:
        for start, end in self._stretches(len(text), ends):
            # To the longest match that begins in the stretch, and what it looks at, all is there: none comes out
            # otherwise than in the whole text.
            limit = len(text) if self._longest is None else min(end + self._longest + _LOOK, len(text))
            for match in in_time(self._expression.finditer, text, start, limit, deadline):
                if match.start() >= end:
                    break
                yield match

    def _stretches(self, length: int, ends: Sequence[int] | None) -> Iterator[Span]:
        """Yield stretches of text, apart from each other, that every match lies in."""
        if ends is None or self._longest is None:
            yield 0, length
            return
        start, end = max(ends[0] - self._longest, 0), ends[0]
        for next_end in ends:
            if next_end - self._longest > end:
                yield start, end
                start = next_end - self._longest
            end = next_end
        yield start, end


class IbanSearch(Search):
    """Presidio tries a match, then the same without what may be the next word: without its last one or two groups."""

    def spans(self, text: str, ends: Sequence[int] | None, deadline: Deadline) -> Iterator[Sequence[Span]]:
        for match in self._matches(text, ends, deadline):
            groups = range(len(match.groups()), 0, -1)
            yield [(match.start(), match.end(group) if match.end(group) > 0 else match.end()) for group in groups]


class EmailSearch:
    """Presidio's expression for e-mail addresses, which takes quadratic time on `a.a.a.`, in linear time.

    A match is a local part, `@` and a domain, and neither part has an `@`. So each `@` with a domain after it and a
    possible end of a local part before it has a match, beginning at the first place where a local part can begin.
    """

    EXPRESSION = (
        r"\b((([!#$%&'*+\-/=?^_`{|}~\w])|([!#$%&'*+\-/=?^_`{|}~\w][!#$%&'*+\-/=?^_`{|}~\.\w]{0,}"
        r"[!#$%&'*+\-/=?^_`{|}~\w]))[@]\w+(?:-+\w+)*(?:\.\w+(?:-+\w+)*)+)\b"
    )
    _whole = regex.compile(EXPRESSION, regex.DOTALL | regex.MULTILINE | regex.IGNORECASE)
    _domain = regex.compile(r"\w+(?:-+\w+)*(?:\.\w+(?:-+\w+)*)+\b")
    _local = regex.compile(r"(?r)[!#$%&'*+\-/=?^_`{|}~\w.]+")  # read backwards

    def spans(self, text: str, ends: Sequence[int] | None, deadline: Deadline) -> Iterator[Sequence[Span]]:
        position, at = 0, text.find("@")
        while at >= 0:
            deadline.check()
            domain = self._domain.match(text, at + 1) if at and text[at - 1] != "." else None
            local = self._local.match(text, endpos=at) if domain else None
            if domain and local:
                match = self._whole.search(text, max(position, local.start()), domain.end())
                if match:
                    position = match.end()
                    yield (match.span(),)
            at = text.find("@", at + 1)


class UrlSearch:
    """An expression for URLs on RE2, on the stretches of text that have a top-level domain in them.

    A stretch lies between `breaks`, the inside of a class of characters that are in no URL, so that it gives what the
    whole text gives. Only those with `needed` in them are searched.
    """

    def __init__(self, expression: Regex, needed: str, breaks: str) -> None:
        self._expression = expression
        self._needed = needed
        self._left = regex.compile(f"(?r)[^{breaks}]*")
        self._right = regex.compile(f"[^{breaks}]*")

    def spans(self, text: str, ends: Sequence[int] | None, deadline: Deadline) -> Iterator[Sequence[Span]]:
        """Yield the one span of each match; `ends` are the places of top-level domains, in order."""
        done = 0
        for place in ends or ():
            if place < done:
                continue
            start = self._left.match(text, endpos=place).start()
            done = self._right.match(text, place).end()
            stretch = encodable(text[start:done])
            if self._needed in stretch:
                for match in self._expression.finditer(stretch):
                    deadline.check()
                    yield ((start + match.start(), start + match.end()),)


class TopLevels:
    """Where a text has a top-level domain, or may have one: what URLs need."""

    _label = re.compile(r"\.([a-z0-9_]{2,})", re.IGNORECASE)

    def __init__(self, names: frozenset[str]) -> None:
        self._names = names

    def places(self, text: str) -> list[int]:
        return [label.start() for label in self._label.finditer(text) if self._may_end_a_domain(label[1])]

    def _may_end_a_domain(self, label: str) -> bool:
        # Two letters: the end of `co.uk`, whatever the country.
        return len(label) == 2 or not label.isascii() or label.lower() in self._names


def in_time(find: Any, text: str, start: int, end: int, deadline: Deadline) -> Iterator[Any]:
    """Yield what `find`, a finditer of `regex`, gives between `start` and `end`; raise DeadlineExceeded."""
    left = deadline.remaining()
    if left <= 0:
        raise DeadlineExceeded
    try:
        yield from find(text, start, end, timeout=left if left < float("inf") else None)
    except TimeoutError:
        raise DeadlineExceeded from None


def longest(expression: str) -> int | None:
    """Return the number of characters in the longest match of `expression`; None when there is no limit."""
    width: int = _parser.parse(expression.replace("(?i)", "")).getwidth()[1]
    return width if width < _parser.MAXREPEAT else None
