"""Read JSON bodies that the rest of the system can rely on: storable text, finite numbers, bounded depth."""

from __future__ import annotations

import json
import math
from typing import Any

from screening.sentences import Sentence, say
from webapp.interception.problems import Problem

MAX_DEPTH = 64
THE_BODY = say("The body")
#: How bodies begin that are gzip, zlib or Zstandard; Brotli's say nothing of themselves.
_COMPRESSED = (b"\x1f\x8b", b"x\x9c", b"x\xda", b"\x28\xb5\x2f\xfd")


def parse_json(body: bytes, what: Sentence = THE_BODY) -> Any:
    """Return the parsed body. Raises Problem 400 with the place of what is wrong, never quoting it.

    `what`: what the problem calls the body.
    """
    try:
        data = json.loads(body.decode("utf-8"))
    except UnicodeDecodeError as error:
        if body.startswith(_COMPRESSED):
            raise Problem(400, "The body is compressed.", "Send it as it is: no Content-Encoding is taken.") from None
        detail = say("%(what)s is not valid UTF-8 at byte %(byte)s.", what=what, byte=error.start)
        raise Problem(400, detail, "Encode the JSON as UTF-8, and do not compress it.") from None
    except RecursionError:
        raise _too_deep() from None
    except json.JSONDecodeError as error:
        detail = say(
            "%(what)s is not JSON: line %(line)s, column %(column)s.", what=what, line=error.lineno, column=error.colno
        )
        raise Problem(400, detail, "Send one JSON object.") from None
    except ValueError:
        detail = say("%(what)s has a number with too many digits.", what=what)
        raise Problem(400, detail, "Send such numbers as strings.") from None
    _require_storable(data, what)
    return data


def _require_storable(data: Any, what: Sentence) -> None:
    stack: list[tuple[Any, int]] = [(data, 0)]
    while stack:
        value, depth = stack.pop()
        if depth > MAX_DEPTH:
            raise _too_deep()
        if isinstance(value, str):
            _require_text(value)
        elif isinstance(value, dict):
            stack.extend((key, depth + 1) for key in value)
            stack.extend((item, depth + 1) for item in value.values())
        elif isinstance(value, list):
            stack.extend((item, depth + 1) for item in value)
        elif isinstance(value, float) and not math.isfinite(value):
            detail = say("%(what)s has a number that is not finite.", what=what)
            raise Problem(400, detail, "JSON has no NaN or Infinity; leave it out.")


def _require_text(value: str) -> None:
    if "\0" in value:
        raise Problem(400, say("A string has a NUL character."), "Remove U+0000: it can not be stored.")
    if value.isascii():
        return
    try:
        value.encode("utf-8")
    except UnicodeEncodeError:
        raise Problem(
            400, say("A string has half of a surrogate pair."), "Send whole characters: a cut emoji is the usual cause."
        ) from None


def _too_deep() -> Problem:
    return Problem(400, say("The JSON is nested deeper than %(most)s.", most=MAX_DEPTH), "Flatten it.")
