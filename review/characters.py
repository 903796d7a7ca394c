"""What readers see as one character: the sure cases, which are the same in every version of Unicode."""

from __future__ import annotations

import unicodedata

_JOINER = "\u200d"
_FLAG_HALVES = "".join(map(chr, range(0x1F1E6, 0x1F200)))


def cuts_character(text: str, at: int) -> bool:
    """Whether `at` lies inside a character: before a mark that combines, in an emoji, in a flag, in CRLF."""
    if not 0 < at < len(text):
        return False
    before, after = text[at - 1], text[at]
    if before in "\r\n" or unicodedata.category(before) == "Cc":
        return before == "\r" and after == "\n"
    if unicodedata.category(after) in ("Mn", "Me") or after == _JOINER or "\U0001f3fb" <= after <= "\U0001f3ff":
        return True
    if before == _JOINER and at > 1:
        return unicodedata.category(after) == "So" and unicodedata.category(_base(text, at - 1)) == "So"
    return _is_flag_half(after) and _flag_halves_before(text, at) % 2 == 1


def _base(text: str, at: int) -> str:
    """Return the character that the marks before `at` belong to."""
    while at > 1 and (
        unicodedata.category(text[at - 1]) in ("Mn", "Me") or "\U0001f3fb" <= text[at - 1] <= "\U0001f3ff"
    ):
        at -= 1
    return text[at - 1]


def _is_flag_half(char: str) -> bool:
    return char in _FLAG_HALVES


def _flag_halves_before(text: str, at: int) -> int:
    # In C: an output may be a megabyte of flags.
    return at - len(text[:at].rstrip(_FLAG_HALVES))
