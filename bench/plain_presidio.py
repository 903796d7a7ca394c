"""Presidio the plain way: its AnalyzerEngine with the recognizers of the detector `pii`, every one on every text.

What `bench/pii_engine.py` and the tests compare the detector with.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any

from presidio_analyzer import AnalyzerEngine, RecognizerRegistry
from presidio_analyzer.nlp_engine import NlpArtifacts, NlpEngine
from presidio_analyzer.predefined_recognizers import UrlRecognizer

from screening.detectors.linear_regex import Regex, compile_linear, encodable
from screening.detectors.pii_recognizers import (
    STOP_WORDS,
    PreciseUrlRecognizer,
    pattern_recognizers,
    phone_recognizer,
)

_TOKEN = re.compile(r"\w+|[^\w\s]")

Found = tuple[str, int, int, float]


class Words(NlpEngine):
    """Tokens in lower case for context words, and no model.

    Not spaCy's blank pipeline: it has no lemmas, so Presidio finds no context with it, and it is slower.
    """

    engine_name = "words"
    is_available = True

    def load(self) -> None:
        """Do nothing: there is nothing to load."""

    def is_loaded(self) -> bool:
        return True

    def process_text(self, text: str, language: str) -> NlpArtifacts:
        tokens = [(match[0], match.start()) for match in _TOKEN.finditer(text)]
        return NlpArtifacts(
            entities=[],
            tokens=[token for token, _ in tokens],  # type: ignore[arg-type]  # only their lengths are read
            tokens_indices=[start for _, start in tokens],
            lemmas=[token.lower() for token, _ in tokens],
            nlp_engine=self,
            language=language,
        )

    def process_batch(
        self, texts: Iterable[str], language: str, batch_size: int = 1, n_process: int = 1, **_options: Any
    ) -> Iterator[tuple[str, NlpArtifacts]]:
        for text in texts:
            yield text, self.process_text(text, language)

    def is_stopword(self, word: str, language: str) -> bool:
        return word in STOP_WORDS[language]

    def is_punct(self, word: str, language: str) -> bool:
        return len(word) == 1 and not word.isalnum()

    def get_supported_entities(self) -> list[str]:
        return []

    def get_supported_languages(self) -> list[str]:
        return list(STOP_WORDS)


class _Span:
    def __init__(self, start: int, end: int) -> None:
        self._span = start, end

    def span(self) -> tuple[int, int]:
        return self._span


class _Linear:
    """An expression on RE2 where Presidio expects one of `regex`."""

    def __init__(self, expression: Regex) -> None:
        self._expression = expression

    def finditer(self, text: str, timeout: float) -> Iterator[_Span]:
        for match in self._expression.finditer(encodable(text)):
            yield _Span(match.start(), match.end())


def _on_re2(recognizer: Any) -> Any:
    """Let the recognizer of URLs, which is ours, read them as it does in the detector: with RE2's `\\b`."""
    # Apart from the loop: mypy cannot tell the type of an attribute of a Presidio class, narrowed.
    is_ours = type(recognizer) is PreciseUrlRecognizer
    for pattern in recognizer.patterns if is_ours else ():
        pattern.compiled_regex = _Linear(compile_linear("(?ms)" + pattern.regex))
        pattern.compiled_with_flags = recognizer.global_regex_flags
    return recognizer


class PlainPresidio:
    """The analyzer of one language; `own_urls`: with Presidio's own recognizer of URLs."""

    def __init__(self, language: str, own_urls: bool = False) -> None:
        self._language = language
        recognizers = [_on_re2(each) for each in pattern_recognizers(language)]
        if own_urls:
            recognizers = [each for each in recognizers if not isinstance(each, PreciseUrlRecognizer)]
            recognizers.append(UrlRecognizer(supported_language=language))
        registry = RecognizerRegistry(
            recognizers=[*recognizers, phone_recognizer(language)], supported_languages=[language]
        )
        self._engine = AnalyzerEngine(registry=registry, nlp_engine=Words(), supported_languages=[language])

    def find(self, text: str) -> list[Found]:
        """Return entity, start, end and score of what is found, in order."""
        results = self._engine.analyze(text, self._language)
        return sorted((each.entity_type, each.start, each.end, each.score) for each in results)
