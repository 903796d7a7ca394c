"""`phrases`: lists of terms, thousands in one pass, found however they are spelled."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, field_validator

from screening.detectors.base import Detector, Options
from screening.detectors.folding import Folded, continues_syllable, fold, is_boundary, stands_for
from screening.findings import Deadline, Hit

if TYPE_CHECKING:
    import ahocorasick

Name = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$")]
Term = Annotated[str, StringConstraints(min_length=1, max_length=200)]

_CHECK_EVERY = 1024

# Letters set apart one by one by the same separator: "f.o.o", "f - o - o", "f o o".
_LETTER = r"(?:[^\W_]|[@$])"
_SPACED = re.compile(rf"(?<![^\W_@$]){_LETTER}([ .,·•\-_*~+/|:'\"]{{1,3}}){_LETTER}(?:\1{_LETTER})+(?![^\W_@$])")


class PhraseList(BaseModel):
    """Terms of one list. A term may be several words; white space in it matches any white space."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    terms: tuple[Term, ...] = Field(min_length=1, max_length=50_000)
    whole_word: bool = True

    @field_validator("terms")
    @classmethod
    def _visible(cls, terms: tuple[str, ...]) -> tuple[str, ...]:
        for position, term in enumerate(terms):
            if not fold(term).text.strip():
                raise ValueError(f"term {position + 1} has no visible character")
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

    def detect(self, text: str, deadline: Deadline) -> list[Hit]:
        """Return every occurrence of every term, with its list as category and score 1."""
        deadline.check()
        folded = fold(text)
        spans = set(self._find(folded, deadline))
        spans.update(self._find(_join_spaced(folded), deadline))
        return [Hit(category, 1.0, start, end) for start, end, category in sorted(spans)]

    def _find(self, folded: Folded, deadline: Deadline) -> Iterator[tuple[int, int, str]]:
        deadline.check()
        seen = folded.text
        for count, (last, entries) in enumerate(self._automaton.iter(folded.skeleton)):
            if count % _CHECK_EVERY == 0:
                deadline.check()
            for category, term, whole_word in entries:
                start, end = last + 1 - len(term), last + 1
                if _reads_as(seen, start, term) and (not whole_word or _stands_alone(seen, start, end, term)):
                    yield (*folded.span(start, end), category)


def _build(options: PhrasesOptions) -> ahocorasick.Automaton:
    """Return an automaton over skeletons; terms with the same skeleton share a node and are told apart on a match."""
    import ahocorasick

    entries: dict[str, set[_Entry]] = {}
    for category, phrases in options.lists.items():
        for term in phrases.terms:
            folded = Folded(fold(term).text.strip(), None, term)
            entries.setdefault(folded.skeleton, set()).add((category, folded.text, phrases.whole_word))
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
