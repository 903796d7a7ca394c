"""Undo what hides a number or a token from patterns written in ASCII, and keep the way back to the original.

Lighter than `folding`: case, accents and look-alike letters stay, because checksums and entropy depend on them.
"""

from __future__ import annotations

import re
import unicodedata

from screening.detectors.folding import Folded, cut

# Format characters, variation selectors, blank letters, and the box of keycap digits.
_UNSEEN = (
    "\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180e\u200b-\u200f\u202a-\u202e\u2060-\u2064\u2066-\u206f"
    "\u20e3\u3164\ufe00-\ufe0f\ufeff\uffa0\U000e0000-\U000e01ef"
)
_DASHES = "\u2010-\u2013\u2212\ufe58\ufe63\uff0d"
_LONG_DASHES = "\u2014\u2015"
_BLANKS = "\u00a0\u2000-\u200a\u202f\u205f\u3000"

_INVISIBLE = re.compile(f"[{_UNSEEN}]+")
# A dash joins within a token or number; in prose a long one stands between words, and counts between digits only.
_DASH = re.compile(rf"(?<=[^\W_])[{_DASHES}](?=[^\W_])|(?<=\d)[{_LONG_DASHES}](?=\d)")
_BLANK = re.compile(rf"(?<=\d)[{_BLANKS}](?=\d)")
# Texts without any of these are not touched: emoji, Chinese punctuation and dashes of prose are no disguise.
_DISGUISE = re.compile(
    rf"[\w!-~{_DASHES}{_LONG_DASHES}{_BLANKS}][{_UNSEEN}]"
    "|[\uff10-\uff19\uff20-\uff3a\uff41-\uff5a\u2460-\u2468\u24b6-\u24ea\U0001d400-\U0001d7ff]"
    rf"|(?![0-9])\d|{_DASH.pattern}|{_BLANK.pattern}"
)
_SAME_CHARACTER = ("<wide>", "<narrow>", "<font>", "<circle>", "<small>")


class _Table(dict[int, str]):
    """The ASCII character that another one is a form of, computed at its first use; itself when there is none."""

    def __missing__(self, code: int) -> str:
        character = plain = chr(code)
        if code > 127:
            if character.isdecimal():
                plain = str(unicodedata.decimal(character))
            elif unicodedata.decomposition(character).startswith(_SAME_CHARACTER):
                normal = unicodedata.normalize("NFKC", character)
                plain = normal if len(normal) == 1 and normal.isascii() and not normal.isspace() else character
        self[code] = plain
        return plain


_TABLE = _Table()
_TABLE_LIMIT = 20_000


def unmask(text: str) -> Folded | None:
    """Return `text` without invisible characters, with ASCII digits, letters, hyphens; None when that is `text`.

    Take time linear in the text.
    """
    if text.isascii() or not _DISGUISE.search(text):
        return None
    if len(_TABLE) > _TABLE_LIMIT:  # a text may bring every character there is
        _TABLE.clear()
    plain = Folded(text.translate(_TABLE), None, text)
    seen = cut(plain, (run.span() for run in _INVISIBLE.finditer(plain.text)))
    joined = _BLANK.sub(" ", _DASH.sub("-", seen.text))
    return None if joined == text else Folded(joined, seen.starts, text)
