"""Fold text so that spellings of one word compare equal, and keep the way back to the original code points.

Two levels. `Folded.text` is plain folding: case, width, accents, look-alike letters of other scripts, invisible
characters, runs of white space. `Folded.skeleton` has the same length and also joins digits and signs that stand for
letters (0 and o; 1, i and l; 3 and e; ...), so one search finds every such spelling; `stands_for` then tells whether
a character of the text may really be read as a character of the term.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

#: What a digit or sign may stand for.
LEET = {"0": "o", "1": "il", "3": "e", "4": "a", "5": "s", "7": "t", "@": "a", "$": "s"}

_SKELETON = str.maketrans({**{sign: letters[0] for sign, letters in LEET.items()}, "l": "i"})

# Letters that look like a Latin one. After case folding, so upper and lower case of a letter must share an image:
# where they differ (Greek nu, Cyrillic ve) the look of the upper case decides.
_LOOKALIKES = dict(
    zip(
        "авекмнорстухіјѕһԁԛԝґ" + "αβεζηικμνορτυχωγ" + "ıłøđħŧɡɑɩօոսցհ",
        "abekmhopctyxijshdqwr" + "abezhikmnoptyxwy" + "ilodhtgaionugh",
        strict=True,
    )
) | {"æ": "ae", "œ": "oe", "þ": "th", "ð": "d", "ƒ": "f"}

# Combining marks that decorate a letter: Latin, Greek and Cyrillic accents, Hebrew points, Arabic vowel signs,
# variation selectors. Marks of Indic and Thai letters are vowels and stay.
_DECORATION = re.compile("[\u0300-\u036f\u0483-\u0489\u0591-\u05c7\u0610-\u061a\u064b-\u065f\u0670"
                         "\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\ufe00-\ufe0f\ufe20-\ufe2f\u0640"
                         "\U000e0100-\U000e01ef]")  # fmt: skip

# Invisible without being format characters: Hangul fillers, Khmer inherent vowels, Mongolian selectors, braille blank.
_INVISIBLE = frozenset("\u115f\u1160\u17b4\u17b5\u180b\u180c\u180d\u2800\u3164\uffa0")

_ASCII_SPACE = str.maketrans({character: " " for character in map(chr, range(128)) if character.isspace()})
_ASCII_CONTROL = re.compile(r"[\x00-\x08\x0e-\x1b\x7f]")
_SPACES = re.compile(" {2,}")


@dataclass(frozen=True, slots=True)
class Folded:
    """Folded text. `starts[k]` is the code point of the original that `text[k]` came from; None when they are equal."""

    text: str
    starts: list[int] | None
    original: str

    @property
    def skeleton(self) -> str:
        return self.text.translate(_SKELETON)

    def span(self, start: int, end: int) -> tuple[int, int]:
        """Return the code-point span of the original behind `text[start:end]`, end > start.

        Accents that fold to nothing belong to the letter before them, so that a redaction leaves none behind; signs
        that end a change of direction do not, because what follows needs them.
        """
        if self.starts is None:
            return start, end
        last = self.starts[end - 1] + 1
        stop = len(self.original) if end == len(self.starts) else max(self.starts[end], last)
        while last < stop and _DECORATION.match(self.original[last]):
            last += 1
        return self.starts[start], last


class _Table(dict[str, str]):
    """Folding of one character, computed at its first use."""

    def __missing__(self, character: str) -> str:
        folded = self[character] = _fold(character)
        return folded


def _fold(character: str) -> str:
    if character.isspace():
        return " "
    if character in _INVISIBLE or unicodedata.category(character) in {"Cf", "Cc"}:
        return ""
    if character.isdecimal():
        return str(unicodedata.decimal(character))
    if "\U0001f1e6" <= character <= "\U0001f1ff":  # regional indicators, the letters that make flags
        return chr(ord(character) - 0x1F1E6 + ord("a"))
    plain = unicodedata.normalize("NFKD", unicodedata.normalize("NFKC", character).casefold())
    return "".join(_LOOKALIKES.get(letter, letter) for letter in _DECORATION.sub("", plain) if letter not in _INVISIBLE)


_TABLE = _Table()
_TABLE_LIMIT = 20_000


def fold(text: str) -> Folded:
    """Fold `text` of any length in linear time."""
    if text.isascii() and not _ASCII_CONTROL.search(text):
        return join_spaces(Folded(text.lower().translate(_ASCII_SPACE), None, text))
    if len(_TABLE) > _TABLE_LIMIT:  # a text may bring every character there is
        _TABLE.clear()
    pieces = [_TABLE[character] for character in text]
    starts = [index for index, piece in enumerate(pieces) for _ in piece]
    return join_spaces(Folded("".join(pieces), starts, text))


def join_spaces(folded: Folded) -> Folded:
    """Keep the first space of each run."""
    if "  " not in folded.text:
        return folded
    return cut(folded, ((run.start() + 1, run.end()) for run in _SPACES.finditer(folded.text)))


def cut(folded: Folded, gaps: Iterable[tuple[int, int]]) -> Folded:
    """Take the spans `gaps` of `folded.text` out: in order, without overlaps."""
    origin: Sequence[int] = range(len(folded.text)) if folded.starts is None else folded.starts
    parts: list[str] = []
    kept: list[int] = []
    begin = 0
    for start, end in gaps:
        parts.append(folded.text[begin:start])
        kept.extend(origin[begin:start])
        begin = end
    if begin == 0:
        return folded
    parts.append(folded.text[begin:])
    kept.extend(origin[begin:])
    return Folded("".join(parts), kept, folded.original)


def stands_for(seen: str, meant: str) -> bool:
    """Return whether the folded character `seen` may be read as `meant`."""
    return seen == meant or meant in LEET.get(seen, "")


#: Characters of scripts written without spaces, and of Hangul, where particles follow a word directly.
WRITTEN_WITHOUT_SPACES = (
    "[\u0e00-\u0eff\u1000-\u109f\u1100-\u11ff\u1780-\u17ff\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"
    "\U00020000-\U0003ffff]"
)
_NO_SPACES = re.compile(WRITTEN_WITHOUT_SPACES)


def is_word(character: str) -> bool:
    """Return whether a folded character is part of a word: letters, digits and marks; not the underscore."""
    return character.isalnum() or unicodedata.category(character).startswith("M")


def is_boundary(before: str, after: str) -> bool:
    """Return whether a word may end between two folded characters ("" at the ends of the text)."""
    if not before or not after or not is_word(before) or not is_word(after):
        return True
    if continues_syllable(after):
        return False
    return bool(_NO_SPACES.match(before) or _NO_SPACES.match(after))


def continues_syllable(character: str) -> bool:
    """Return whether it is a Hangul vowel or final consonant: folding takes syllables apart, terms match whole ones."""
    return "\u1161" <= character <= "\u11ff"
