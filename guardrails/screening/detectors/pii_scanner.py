"""Presidio's recognizers over a text: the findings of its AnalyzerEngine, in a fraction of the time.

One pass of Hyperscan says which patterns can match and where; only those are tried, and only there. Checksums, scores
and the dropping of nested results are Presidio's own code. Without Hyperscan every pattern is tried on the whole text.
"""

from __future__ import annotations

import itertools
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Protocol

import regex
from presidio_analyzer import EntityRecognizer, RecognizerResult
from presidio_analyzer.predefined_recognizers import IbanRecognizer

from screening.detectors import pii_recognizers as recognizers
from screening.detectors.linear_regex import compile_linear
from screening.detectors.pii_context import Context, lower_case
from screening.detectors.pii_phones import GATE, phone_numbers
from screening.detectors.pii_prefilter import compile_prefilter
from screening.detectors.pii_searches import EmailSearch, IbanSearch, Search, Span, TopLevels, UrlSearch
from screening.findings import Deadline

#: For each gate that something may pass, where: the ends of possible matches, in order.
Ends = Mapping[int, Sequence[int]]

# Something of everything that is loaded at its first use.
_FIRST_TEXT = "call 020 7946 0958 or +49 30 901820, mail jane@acme.co.uk or see https://acme.io/a"


class _Finder(Protocol):
    def spans(self, text: str, ends: Sequence[int] | None, deadline: Deadline) -> Iterator[Sequence[Span]]: ...


class _Gates:
    """The expressions of the prefilter; each finder gets a number to ask for."""

    def __init__(self) -> None:
        self.expressions: list[tuple[str, int]] = []

    def add(self, expression: str, flags: int) -> int:
        self.expressions.append((expression, flags))
        return len(self.expressions) - 1


class _Reader(ABC):
    """The results of one recognizer, with its context words taken into account."""

    def __init__(self, recognizer: Any) -> None:  # Presidio's attributes have no types
        self.entity = recognizer.supported_entities[0]
        self._words = lower_case(recognizer.context)
        self.gates: frozenset[int] = frozenset()  # of which one has to be open; none: always read
        self._about = {RecognizerResult.RECOGNIZER_NAME_KEY: recognizer.name}

    def read(self, text: str, ends: Ends | None, context: Context, deadline: Deadline) -> list[RecognizerResult]:
        """Return what the recognizer finds in `text`; `ends` None: every gate is open. Raise DeadlineExceeded."""
        spans = sorted(self._found(text, ends, deadline))
        results = [
            RecognizerResult(self.entity, start, end, score, recognition_metadata=self._about)
            for start, end, score in spans
        ]
        # Where each begins after the end of the one before it, none is in another.
        if len(spans) > 1 and any(later[0] < earlier[1] for earlier, later in itertools.pairwise(spans)):
            results = EntityRecognizer.remove_duplicates(results)
        for result in results if self._words else ():
            deadline.check()
            result.score = context.score(result.score, result.start, self._words)
        return results

    @abstractmethod
    def _found(self, text: str, ends: Ends | None, deadline: Deadline) -> Iterator[tuple[int, int, float]]:
        """Yield the start, end and score of each match."""


class _PatternReader(_Reader):
    def __init__(self, recognizer: Any, gates: _Gates) -> None:
        super().__init__(recognizer)
        self._recognizer = recognizer
        self._finders = [(pattern.score, *self._finder(pattern.regex, gates)) for pattern in recognizer.patterns]
        self.gates = frozenset(gate for _, _, gate in self._finders if gate is not None)

    def _finder(self, expression: str, gates: _Gates) -> tuple[_Finder, int | None]:
        """Return what finds the matches of `expression`, and its gate when it has one."""
        if expression == EmailSearch.EXPRESSION:
            return EmailSearch(), None
        flags = self._recognizer.global_regex_flags
        kind = IbanSearch if isinstance(self._recognizer, IbanRecognizer) else Search
        return kind(expression, flags), gates.add(expression, flags)

    def _found(self, text: str, ends: Ends | None, deadline: Deadline) -> Iterator[tuple[int, int, float]]:
        for score, finder, gate in self._finders:
            own = None if ends is None or gate is None else ends.get(gate, ())
            if own is None or own:
                for spans in finder.spans(text, own, deadline):
                    yield from self._first_good(text, spans, score)

    def _first_good(self, text: str, spans: Sequence[Span], score: float) -> Iterator[tuple[int, int, float]]:
        for start, end in spans:
            judged = self._judge(text[start:end], score)
            if judged > EntityRecognizer.MIN_SCORE:
                yield start, end, judged
                return

    def _judge(self, found: str, score: float) -> float:
        valid = self._recognizer.validate_result(found)
        if valid is not None:
            score = EntityRecognizer.MAX_SCORE if valid else EntityRecognizer.MIN_SCORE
        return EntityRecognizer.MIN_SCORE if self._recognizer.invalidate_result(found) else score


class _UrlReader(_PatternReader):
    _top_levels = TopLevels(recognizers.TOP_LEVELS)

    def __init__(self, recognizer: Any, gates: _Gates) -> None:
        super().__init__(recognizer, gates)
        self.gates = frozenset()

    def _finder(self, expression: str, gates: _Gates) -> tuple[_Finder, int | None]:
        needed = "://" if "://" in expression else "."
        return UrlSearch(compile_linear("(?ms)" + expression), needed, recognizers.URL_BREAKS), 0

    def _found(self, text: str, ends: Ends | None, deadline: Deadline) -> Iterator[tuple[int, int, float]]:
        places = self._top_levels.places(text)
        return super()._found(text, {0: places}, deadline)


class _PhoneReader(_Reader):
    def __init__(self, recognizer: Any, gates: _Gates) -> None:
        super().__init__(recognizer)
        self._leniency = recognizer.leniency
        self._score = recognizer.SCORE
        self.gates = frozenset([gates.add(GATE, regex.IGNORECASE)])

    def _found(self, text: str, ends: Ends | None, deadline: Deadline) -> Iterator[tuple[int, int, float]]:
        for start, end in phone_numbers(text, self._leniency, deadline):
            yield start, end, self._score


class Scanner:
    """All recognizers of a language over a text of any length. Safe to use from several threads."""

    def __init__(self, language: str) -> None:
        gates = _Gates()
        self._stop_words = frozenset(recognizers.STOP_WORDS[language])
        self._readers: list[_Reader] = [
            self._reader(recognizer, gates) for recognizer in recognizers.pattern_recognizers(language)
        ]
        self._readers.append(_PhoneReader(recognizers.phone_recognizer(language), gates))
        self._prefilter = compile_prefilter(gates.expressions)
        self.scan(_FIRST_TEXT, Deadline())

    @staticmethod
    def _reader(recognizer: Any, gates: _Gates) -> _Reader:
        kind = _UrlReader if isinstance(recognizer, recognizers.PreciseUrlRecognizer) else _PatternReader
        return kind(recognizer, gates)

    @property
    def entities(self) -> frozenset[str]:
        return frozenset(reader.entity for reader in self._readers)

    def scan(self, text: str, deadline: Deadline) -> list[RecognizerResult]:
        """Return what Presidio's AnalyzerEngine returns for `text` with these recognizers, whatever the score.

        Raise DeadlineExceeded: no work between two looks at `deadline` grows faster than the text.
        """
        ends = self._prefilter.ends(text, deadline) if self._prefilter else None
        context = Context(text, self._stop_words)
        found: list[RecognizerResult] = []
        for reader in self._readers:
            if ends is None or not reader.gates or not reader.gates.isdisjoint(ends):
                deadline.check()
                found += reader.read(text, ends, context, deadline)
        return list(EntityRecognizer.remove_duplicates(found)) if len(found) > 1 else found
