"""Cut a file into its tasks and make nothing of them: read as a whole, a file takes up to fifty times its size."""

from __future__ import annotations

import re
from collections.abc import Iterator

from review.errors import BadFile
from screening.sentences import say

MAX_TASKS = 10_000
#: Values of one task, counted by the commas and brackets in it, those in its texts too.
MAX_VALUES = 500_000

_STRING = rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"'
#: Everything up to the next bracket that stands in no string.
_TO_BRACKET = re.compile(rb'[^"\[\]{}]*+(?:' + _STRING + rb'[^"\[\]{}]*+)*+([\[\]{}])', re.DOTALL)
_SCALAR = re.compile(_STRING + rb"|[^,\]\s]++", re.DOTALL)
#: Bytes of a character in UTF-8 after its first.
_NOT_FIRST = bytes(range(0x80, 0xC0))
_BLANK = re.compile(rb"[ \t\n\r]*+")


def split_tasks(raw: bytes) -> Iterator[bytes]:
    """Yield the elements of the array in a file as they stand there, each with a bounded number of values.

    What stands in them is not looked at: an element may be no JSON. Raises BadFile.
    """
    at = _skip(raw, 0)
    first = _skip(raw, at + 1)
    if raw[at : at + 1] != b"[" or raw[first : first + 1] in (b"]", b""):
        raise BadFile(say("The file is not an array of tasks. Export it from Label Studio as JSON, not as JSON-MIN."))
    number = 0
    while raw[at : at + 1] in (b"[", b",") and (number == 0 or raw[at : at + 1] == b","):
        start, number = _skip(raw, at + 1), number + 1
        if number > MAX_TASKS:
            raise BadFile(say("The file has more than %(most)s tasks. Import it in parts.", most=MAX_TASKS))
        end = _end_of(raw, start, number)
        yield raw[start:end]
        at = _skip(raw, end)
    if raw[at : at + 1] != b"]" or _skip(raw, at + 1) < len(raw):
        line = raw.count(b"\n", 0, at) + 1
        column = len(raw[raw.rfind(b"\n", 0, at) + 1 : at].translate(None, delete=_NOT_FIRST)) + 1
        what = say("The file")
        raise BadFile(
            say("%(what)s is not JSON: line %(line)s, column %(column)s.", what=what, line=line, column=column)
        )


def _skip(raw: bytes, at: int) -> int:
    blank = _BLANK.match(raw, at)
    return blank.end() if blank else at


def _end_of(raw: bytes, start: int, number: int) -> int:
    """Return where the value that begins at `start` ends, that of the file when it does not."""
    if raw[start : start + 1] not in (b"[", b"{"):
        scalar = _SCALAR.match(raw, start)
        return scalar.end() if scalar else start
    at, depth, opened = start, 0, 0
    while depth or at == start:
        step = _TO_BRACKET.match(raw, at)
        if step is None:
            at = len(raw)
            break
        at = step.end()
        opens = step[1] in b"[{"
        depth += 1 if opens else -1
        opened += opens
        if opened > MAX_VALUES:
            break
    if opened + raw.count(b",", start, at) > MAX_VALUES:
        raise BadFile(
            say(
                "Task %(number)s has more than %(most)s values. Leave out what is no text and no label.",
                number=number,
                most=MAX_VALUES,
            )
        )
    return at
