"""RE2 behind a typed door: regular expressions whose time is linear in the text, whatever the text."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Protocol

from screening.sentences import Sentence, say

#: Enough for long alternations and Unicode classes, small enough that a policy cannot fill a worker's memory.
MAX_MEMORY = 16 << 20
MAX_PROGRAM = 20_000

_SURROGATES = re.compile("[\ud800-\udfff]")
_UNSUPPORTED = (
    (re.compile(r"\(\?<?[=!]"), say("lookahead and lookbehind do not exist in RE2: match the surroundings as well")),
    (re.compile(r"\\[1-9]|\(\?P=|\\k<"), say("backreferences do not exist in RE2: spell the repetition out")),
    (
        re.compile(r"\(\?>|[*+?}]\+"),
        say("atomic groups and possessive quantifiers do not exist in RE2, nor are needed"),
    ),
    (re.compile(r"\(\?\("), say("conditional groups do not exist in RE2: use an alternation")),
)


class PatternError(ValueError):
    """The expression cannot be used; the message says why and what to do."""


class Match(Protocol):
    def start(self, group: int = 0) -> int: ...
    def end(self, group: int = 0) -> int: ...
    def group(self, group: int = 0) -> str: ...


class Regex(Protocol):
    @property
    def programsize(self) -> int: ...
    def search(self, text: str) -> Match | None: ...
    def fullmatch(self, text: str) -> Match | None: ...
    def finditer(self, text: str, pos: int = 0) -> Iterator[Match]: ...


def encodable(text: str) -> str:
    """Return `text` with lone surrogates replaced, code point by code point: RE2 works on UTF-8 and refuses them."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return _SURROGATES.sub("\ufffd", text)
    return text


def compile_linear(expression: str) -> Regex:
    """Compile `expression`; offsets of its matches are code points.

    Raise PatternError with a hint for what RE2 does not have, and for programs over MAX_PROGRAM instructions.
    """
    import re2

    options = re2.Options()
    options.max_mem = MAX_MEMORY
    options.log_errors = False  # RE2 would print the expression on stderr
    try:
        compiled = re2.compile(encodable(expression), options)
    except re2.error as error:
        raise PatternError(_explain(expression, error)) from error
    size = max(compiled.programsize, compiled.reverseprogramsize)
    if size > MAX_PROGRAM:
        raise PatternError(
            say(
                "it compiles to %(size)s instructions, over the limit of %(most)s: "
                "use smaller repetition counts or fewer alternatives",
                size=size,
                most=MAX_PROGRAM,
            )
        )
    regex: Regex = compiled
    return regex


def _explain(expression: str, error: Exception) -> Sentence:
    for sign, hint in _UNSUPPORTED:
        if sign.search(expression):
            return hint
    reason = error.args[0] if error.args else "unknown reason"
    # The library's own words.
    return Sentence(reason.decode(errors="replace") if isinstance(reason, bytes) else str(reason))
