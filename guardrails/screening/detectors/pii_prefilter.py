"""One pass of Hyperscan over a text tells which patterns can match in it, and where such matches can end.

The text is scanned as one ASCII byte a code point: any other character becomes its *stand-in*, which every pattern
takes wherever it takes the character itself. So offsets are code points, and what `regex`, which finds the matches
afterwards, holds for a digit, a letter, a word or the same letter in another case need not be what Hyperscan does.
"""

from __future__ import annotations

import codecs
import string
import threading
from collections import defaultdict
from collections.abc import Mapping, Sequence

import regex

from screening.findings import Deadline

try:
    import hyperscan

    AVAILABLE = True
except ImportError:  # no wheel for this platform: every pattern runs, and finds the same
    AVAILABLE = False

#: Calls of Hyperscan's handler between two looks at the clock.
_EVENTS = 4_096
_TABLE_LIMIT = 20_000
_STAND_INS = "countersign.stand-ins"

_LETTER = regex.compile("[a-zA-Z]", regex.IGNORECASE)  # not the same as [a-z]: the dotless i counts as I only
_DIGIT = regex.compile(r"\d")
_WORD = regex.compile(r"\w")
_SPACE = regex.compile(r"\s")


class _Table(dict[int, str]):
    """The stand-in of a character, worked out at its first use with the engine that finds the matches."""

    def __missing__(self, code: int) -> str:
        self[code] = found = _stand_in(chr(code))
        return found


def _stand_in(character: str) -> str:
    if _LETTER.match(character):  # the long s and the Kelvin sign, say, are letters in another case
        return next(each.lower() for each in string.ascii_letters if regex.match(each, character, regex.IGNORECASE))
    if _DIGIT.match(character):
        return "0"
    if _WORD.match(character):
        return "_"
    return " " if _SPACE.match(character) else "\x01"


_TABLE = _Table()


def _replace(error: UnicodeError) -> tuple[str, int]:
    assert isinstance(error, UnicodeEncodeError)  # noqa: S101 - texts are only encoded
    if len(_TABLE) > _TABLE_LIMIT:  # a text may bring every character there is
        _TABLE.clear()
    return error.object[error.start : error.end].translate(_TABLE), error.end


codecs.register_error(_STAND_INS, _replace)


def stand_ins(text: str) -> bytes:
    """Return one ASCII byte for each code point of `text`."""
    return text.encode("ascii", _STAND_INS)


class Prefilter:
    """A Hyperscan database of expressions with their flags. Safe to use from several threads."""

    def __init__(self, expressions: Sequence[tuple[str, int]]) -> None:
        # Compiling takes about half a second and holds a few hundred kilobytes.
        self._database = hyperscan.Database(mode=hyperscan.HS_MODE_BLOCK)
        self._database.compile(
            expressions=[stand_ins(expression) for expression, _ in expressions],
            flags=[_flags(flags) for _, flags in expressions],
            ids=list(range(len(expressions))),
            elements=len(expressions),
        )
        self._scratch = hyperscan.Scratch(self._database)
        self._of_thread = threading.local()

    def ends(self, text: str, deadline: Deadline) -> Mapping[int, Sequence[int]]:
        """Return, by number of expression, in order, every place where a match may end; of most none.

        Raise DeadlineExceeded when a text with very many such places takes until then.
        """
        found: defaultdict[int, list[int]] = defaultdict(list)

        def note(number: int, _start: int, end: int, _flags: int, _context: object) -> None:
            ends = found[number]
            ends.append(end)
            if len(ends) % _EVENTS == 0:
                deadline.check()

        self._database.scan(stand_ins(text), match_event_handler=note, scratch=self._own_scratch())
        return found

    def _own_scratch(self) -> hyperscan.Scratch:
        scratch: hyperscan.Scratch | None = getattr(self._of_thread, "scratch", None)
        if scratch is None:
            self._of_thread.scratch = scratch = self._scratch.clone()  # two threads must not share one
        return scratch


def _flags(flags: int) -> int:
    chosen = hyperscan.HS_FLAG_PREFILTER
    for theirs, ours in (
        (regex.IGNORECASE, hyperscan.HS_FLAG_CASELESS),
        (regex.DOTALL, hyperscan.HS_FLAG_DOTALL),
        (regex.MULTILINE, hyperscan.HS_FLAG_MULTILINE),
    ):
        chosen |= ours if flags & theirs else 0
    return int(chosen)


def compile_prefilter(expressions: Sequence[tuple[str, int]]) -> Prefilter | None:
    """Return the prefilter of `expressions`; None where there is no Hyperscan."""
    return Prefilter(expressions) if AVAILABLE else None
