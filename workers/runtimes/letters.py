"""Letters that a vocabulary of word pieces lacks: read as another form of one that it has, kept apart, or counted.

WordPiece makes one [UNK] of a whole word when a single character of it is unknown, and of any word of more than 100
characters. An emoji at each word, or letters of another width, would so leave a text unread that a person reads well.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence

from tokenizers import Regex
from tokenizers.pre_tokenizers import Split

#: The reason to record where a model knows too few of a text's letters to have read it.
UNREADABLE = "unreadable"
#: WordPiece's own limit.
LONGEST_WORD = 100
#: Where other forms of letters are: full width, mathematical, enclosed.
OTHER_FORMS = range(0x80, 0x20000)


class Alphabet:
    """The characters that a WordPiece vocabulary has, at the beginning of a word and later."""

    def __init__(self, vocabulary: Mapping[str, int], later: str = "##") -> None:
        """`later`: what stands before a piece that goes on a word."""
        self._known = {piece for piece in vocabulary if len(piece) == 1 and later + piece in vocabulary}
        forms = {code: self._form(chr(code)) for code in OTHER_FORMS}
        self._forms = {code: form for code, form in forms.items() if form}

    @property
    def split(self) -> Split:
        """Cut words to what is known of them, in pieces of 100 characters; what is not, each character by itself.

        All other words stay exactly as upstream reads them.
        """
        known = "".join(map(re.escape, sorted(self._known)))
        return Split(Regex(f"[{known}]{{1,{LONGEST_WORD}}}|[^{known}]"), "isolated")

    def fold(self, text: str) -> str:
        """Return the text with full-width, mathematical and enclosed letters as plain ones; offsets stay."""
        return text if text.isascii() else text.translate(self._forms)

    def _form(self, character: str) -> str:
        """Return the one known character that an unknown one is another form of, if there is one."""
        if character in self._known or not unicodedata.decomposition(character).startswith("<"):
            return ""
        form = unicodedata.normalize("NFKC", character)
        return form if len(form) == 1 and not {form, form.lower()}.isdisjoint(self._known) else ""


def is_unreadable(text: str, ids: Sequence[int], offsets: Sequence[tuple[int, int]], unknown: int | None) -> bool:
    """Return whether more than half of the letters of these word pieces of `text` are in unknown ones.

    Emoji and signs are no letters: what says nothing but them is read.
    """
    if unknown is None or unknown not in ids:
        return False
    lost = sum(_letters(text[slice(*place)]) for piece, place in zip(ids, offsets, strict=True) if piece == unknown)
    return 2 * lost > sum(_letters(text[slice(*place)]) for place in offsets)


def _letters(text: str) -> int:
    return sum(map(str.isalpha, text))
