"""Texts to windows of word pieces, and windows to batches. No torch here."""

from __future__ import annotations

import re
import string
import unicodedata
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import repeat
from pathlib import Path

from tokenizers import Tokenizer
from tokenizers.pre_tokenizers import Sequence as PreTokenizers

from screening.findings import Deadline, DeadlineExceeded
from workers.runtimes.letters import LONGEST_WORD, Alphabet, is_unreadable

UNK, CLS, SEP = 100, 101, 102
#: Characters of a text that are cut to word pieces at a time: a tenth of a second of the slowest scripts.
STRETCH = 8_192
#: What ends a word, whatever comes next.
_ENDS = frozenset(string.punctuation + " \t\r\n")
_SURROGATES = re.compile("[\ud800-\udfff]")


def without_surrogates(text: str) -> str:
    """Return the text with lone surrogates as U+FFFD, which tokenizers can read; offsets stay."""
    return _SURROGATES.sub("\ufffd", text)


@dataclass(frozen=True, slots=True)
class Window:
    """A piece of a text: `ids` with [CLS] and [SEP], and where it lies, in code points of the text.

    `offsets`: (start, end) of each word piece, so without [CLS] and [SEP]. `unread`: most of its letters are unknown.
    """

    text: int
    ids: tuple[int, ...]
    start: int
    end: int
    offsets: tuple[tuple[int, int], ...] = ()
    unread: bool = False


class WindowTokenizer:
    """The encoder's word pieces, without its truncation and padding, and with no word lost for a character of it."""

    def __init__(self, tokenizer_json: str) -> None:
        self._tokenizer = Tokenizer.from_str(tokenizer_json)
        self._tokenizer.no_truncation()
        self._tokenizer.no_padding()
        #: Word pieces that go on a word.
        self.later = frozenset(i for piece, i in self._tokenizer.get_vocab().items() if piece.startswith("##"))
        self._alphabet = Alphabet(self._tokenizer.get_vocab())
        self._tokenizer.pre_tokenizer = PreTokenizers([self._tokenizer.pre_tokenizer, self._alphabet.split])

    @classmethod
    def from_file(cls, path: Path) -> WindowTokenizer:
        return cls(path.read_text(encoding="utf-8"))

    def windows(
        self, texts: Sequence[str], *, size: int, overlap: int, deadlines: Sequence[Deadline] = ()
    ) -> list[Window]:
        """Cut every text into windows of at most `size` ids, consecutive ones sharing `overlap` word pieces.

        Every text gets at least one window (an empty text: [CLS] [SEP]). Lone surrogates are read as U+FFFD, so
        offsets stay those of the text given. A text whose deadline passes meanwhile, however long it is, has none.
        """
        found: list[Window] = []
        for index, (text, deadline) in enumerate(zip(texts, deadlines or repeat(Deadline(), len(texts)), strict=True)):
            with suppress(DeadlineExceeded):
                found += _cut(index, text, *self._pieces(text, deadline), size - 2, overlap)
        return found

    def _pieces(self, text: str, deadline: Deadline) -> tuple[list[int], list[tuple[int, int]]]:
        """Return the ids of all word pieces of `text`, and where they are; raise DeadlineExceeded."""
        clean = self._alphabet.fold(without_surrogates(text))
        ids: list[int] = []
        places: list[tuple[int, int]] = []
        for start, end in _stretches(clean):
            deadline.check()
            # Of one: `encode` would keep Python's lock.
            (encoding,) = self._tokenizer.encode_batch([clean[start:end]], add_special_tokens=False)
            ids += encoding.ids
            places += _with_marks(clean, _moved(encoding.offsets, start))
        return ids, places


def _stretches(text: str) -> Iterator[tuple[int, int]]:
    """Yield where to cut a long text, behind the end of a word, so that the word pieces are those of the whole text.

    A word is cut where it is longer than WordPiece takes, and would be cut all the same.
    """
    start = 0
    while start < len(text):
        limit = min(len(text), start + STRETCH)
        ends = range(limit, max(start, limit - LONGEST_WORD), -1)
        end = limit if limit == len(text) else next((at for at in ends if text[at - 1] in _ENDS), limit)
        yield start, end
        start = end


def _moved(offsets: list[tuple[int, int]], by: int) -> list[tuple[int, int]]:
    return [(start + by, end + by) for start, end in offsets] if by else offsets


def _with_marks(text: str, offsets: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """Return offsets of word pieces with the marks that follow their letters, which the tokenizer drops."""
    if text.isascii():
        return offsets
    whole = []
    for start, end in offsets:
        while end < len(text) and unicodedata.category(text[end]) == "Mn":
            end += 1
        whole.append((start, end))
    return whole


def _cut(
    index: int, text: str, ids: list[int], offsets: list[tuple[int, int]], size: int, overlap: int
) -> Iterator[Window]:
    if not ids:
        yield Window(text=index, ids=(CLS, SEP), start=0, end=0)
    for first in range(0, max(1, len(ids) - overlap) if ids else 0, size - overlap):
        piece, places = ids[first : first + size], offsets[first : first + size]
        yield Window(
            text=index,
            ids=(CLS, *piece, SEP),
            start=places[0][0],
            end=places[-1][1],
            offsets=tuple(places),
            unread=is_unreadable(text, piece, places, UNK),
        )


def batches(lengths: Sequence[int], *, budget: int) -> Iterator[list[int]]:
    """Yield batches of positions, longest first, such that rows times the longest row stay within `budget` tokens.

    A row longer than the budget gets a batch of its own. Sorting keeps padding small: in unsorted batches of 32 texts
    of mixed length, padding is three quarters of all tokens.
    """
    order = sorted(range(len(lengths)), key=lambda i: (-lengths[i], i))
    batch: list[int] = []
    for position in order:
        if batch and (len(batch) + 1) * lengths[batch[0]] > budget:
            yield batch
            batch = []
        batch.append(position)
    if batch:
        yield batch
