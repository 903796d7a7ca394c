"""`phrases`: lists of terms, thousands in one pass, found however they are spelled."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, field_validator

from screening.detectors.base import Detector, Options
from screening.detectors.folding import (
    Folded,
    continues_syllable,
    cut,
    fold,
    is_boundary,
    join_spaces,
    stands_for,
)
from screening.findings import Deadline, Hit
from screening.sentences import say

if TYPE_CHECKING:
    import ahocorasick

Name = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$")]
Term = Annotated[str, StringConstraints(min_length=1, max_length=200)]

_CHECK_EVERY = 1024

# Letters set apart one by one by the same separator: "f.o.o", "f - o - o", "f o o".
_LETTER = r"(?:[^\W_]|[@$])"
_SPACED = re.compile(rf"(?<![^\W_@$]){_LETTER}([ .,·•\-_*~+/|:'\"]{{1,3}}){_LETTER}(?:\1{_LETTER})+(?![^\W_@$])")

# What may stand for the space between two words of a term, beside white space: hyphens and dashes, _ . and /
_SEPARATORS = dict.fromkeys(map(ord, "-_./\u2010\u2011\u2012\u2013\u2014\u2015\u2212"), " ")
# One hyphen inside a word, maybe at the end of a line. Between letters only: 10-0 is not 100.
_HYPHEN = re.compile(r"(?<=[^\W\d_])[-\u2010\u2011]( ?)(?=[^\W\d_])")
_LINE_BREAKS = frozenset("\n\r\u2028\u2029")

#: A term of several words is also found written as one, when that has as many letters: "in it" is not `init`.
LEAST_JOINED = 6


class PhraseList(BaseModel):
    """Terms of one list. A term may be several words; white space in it matches any, and - _ . / as well."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    terms: tuple[Term, ...] = Field(min_length=1, max_length=50_000)
    whole_word: bool = True

    @field_validator("terms")
    @classmethod
    def _visible(cls, terms: tuple[str, ...]) -> tuple[str, ...]:
        for position, term in enumerate(terms):
            if not fold(term).text.strip():
                raise ValueError(say("term %(number)s has no visible character", number=position + 1))
        return terms


class PhrasesOptions(Options):
    """Lists by the name that their hits carry."""

    lists: dict[Name, PhraseList] = Field(min_length=1, max_length=200)

    def labels(self) -> frozenset[str]:
        return frozenset(self.lists)


_Entry = tuple[str, str, bool]  # list, folded term, whole word


class Phrases(Detector):
    name = "phrases"
    options_type = PhrasesOptions

    def __init__(self, options: PhrasesOptions) -> None:
        self._automaton = _build(options)
        self._several_words = any(
            " " in fold(term).text.strip() for phrases in options.lists.values() for term in phrases.terms
        )

    def detect(self, text: str, deadline: Deadline) -> list[Hit]:
        """Return every occurrence of every term, with its list as category and score 1."""
        deadline.check()
        folded = fold(text)
        spans = set(self._find(folded, deadline))
        spans.update(self._find(_join_spaced(folded), deadline))
        if self._several_words:
            separated = _separate(folded)
            if separated.text != folded.text:
                spans.update(self._find(separated, deadline))
        unbroken = _join_hyphens(folded)
        if unbroken is not folded:
            spans.update(self._find(unbroken, deadline, whole=True))
        return [Hit(category, 1.0, start, end) for start, end, category in sorted(spans)]

    def _find(self, folded: Folded, deadline: Deadline, *, whole: bool = False) -> Iterator[tuple[int, int, str]]:
        """Yield spans and lists; with `whole`, of whole words only, whatever the list says."""
        deadline.check()
        seen = folded.text
        for count, (last, entries) in enumerate(self._automaton.iter(folded.skeleton)):
            if count % _CHECK_EVERY == 0:
                deadline.check()
            for category, term, whole_word in entries:
                start, end = last + 1 - len(term), last + 1
                alone = not (whole or whole_word) or _stands_alone(seen, start, end, term)
                if alone and _reads_as(seen, start, term):
                    yield (*folded.span(start, end), category)


def _build(options: PhrasesOptions) -> ahocorasick.Automaton:
    """Return an automaton over skeletons; terms with the same skeleton share a node and are told apart on a match."""
    import ahocorasick

    entries: dict[str, set[_Entry]] = {}
    for category, phrases in options.lists.items():
        for term in phrases.terms:
            folded = Folded(fold(term).text.strip(), None, term)
            entries.setdefault(folded.skeleton, set()).add((category, folded.text, phrases.whole_word))
            joined = Folded(folded.text.replace(" ", ""), None, term)
            if LEAST_JOINED <= len(joined.text) < len(folded.text):
                entries.setdefault(joined.skeleton, set()).add((category, joined.text, True))
    automaton = ahocorasick.Automaton()
    for skeleton, same in entries.items():
        automaton.add_word(skeleton, tuple(sorted(same)))
    automaton.make_automaton()
    return automaton


def _reads_as(seen: str, start: int, term: str) -> bool:
    """Return whether the text at `start` spells `term`; at least one letter as itself, so that 455 stays a number."""
    end = start + len(term)
    if seen.startswith(term, start):
        spelled = True
    else:
        part = seen[start:end]
        spelled = all(map(stands_for, part, term)) and any(
            a == b and a.isalpha() for a, b in zip(part, term, strict=True)
        )
    return spelled and not continues_syllable(seen[end : end + 1])


def _stands_alone(seen: str, start: int, end: int, term: str) -> bool:
    # Judged by the term's letters: "@" is a letter in "@ss", and "user@ss" does not end a word before it.
    before = seen[start - 1] if start else ""
    return is_boundary(before, term[0]) and is_boundary(term[-1], seen[end : end + 1])


def _join_spaced(folded: Folded) -> Folded:
    """Return the letters of all spaced-out words, each word on its own line, with the way back to the original."""
    letters, starts = [], []
    for run in _SPACED.finditer(folded.text):
        step = 1 + len(run[1])
        at = range(run.start(), run.end(), step)
        words = [at]
        if run[1] == " " and folded.text[run.start()] in "ai":
            words.append(at[1:])  # "a f o o": the first letter may be a word of its own
        for word in words:
            letters += [*folded.text[word.start : word.stop : step], "\n"]
            starts += [*word, word[-1]]
    origin = starts if folded.starts is None else [folded.starts[k] for k in starts]
    return Folded("".join(letters), origin, folded.original)


def _separate(folded: Folded) -> Folded:
    """Return the text with one space for every run of what may separate words."""
    return join_spaces(Folded(folded.text.translate(_SEPARATORS), folded.starts, folded.original))


def _join_hyphens(folded: Folded) -> Folded:
    """Return the text with hyphenated words in one piece; `folded` itself when there is none.

    A line break alone joins nothing: where one word ends and the next begins, it stands for a space.
    """

    def joins(hyphen: re.Match[str]) -> bool:
        if not hyphen[1]:
            return True
        at = hyphen.start(1)
        return folded.original[at if folded.starts is None else folded.starts[at]] in _LINE_BREAKS

    return cut(folded, (hyphen.span() for hyphen in _HYPHEN.finditer(folded.text) if joins(hyphen)))
