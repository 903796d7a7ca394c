"""Presidio's pattern recognizers, made safe for any text: offline, in bounded time, without memory of what they read.

Imported by workers only: Presidio takes seconds to import.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from contextvars import ContextVar
from typing import Any

import tldextract
from presidio_analyzer import EntityRecognizer, Pattern, PatternRecognizer, RecognizerResult
from presidio_analyzer import predefined_recognizers as predefined
from presidio_analyzer.context_aware_enhancers import LemmaContextAwareEnhancer
from presidio_analyzer.nlp_engine import NlpArtifacts, NlpEngine
from spacy.lang.en.stop_words import STOP_WORDS as ENGLISH
from spacy.lang.es.stop_words import STOP_WORDS as SPANISH
from spacy.lang.it.stop_words import STOP_WORDS as ITALIAN
from spacy.lang.pl.stop_words import STOP_WORDS as POLISH

from screening.detectors.linear_regex import Regex, compile_linear, encodable
from screening.findings import Deadline, DeadlineExceeded

#: The flags that Presidio compiles patterns with.
FLAGS = re.DOTALL | re.MULTILINE | re.IGNORECASE

_STOP_WORDS = {"en": ENGLISH, "es": SPANISH, "it": ITALIAN, "pl": POLISH}
_TOKEN = re.compile(r"\w+|[^\w\s]")

deadline_of_scan: ContextVar[Deadline] = ContextVar("pii_deadline", default=Deadline())  # noqa: B039 (frozen)


class Words(NlpEngine):
    """Tokens in lower case for context words, and no model.

    Not spaCy's blank pipeline: it has no lemmas, so Presidio finds no context with it, and it keeps every new word
    of every text in memory for ever.
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
        return word in _STOP_WORDS[language]

    def is_punct(self, word: str, language: str) -> bool:
        return len(word) == 1 and not word.isalnum()

    def get_supported_entities(self) -> list[str]:
        return []

    def get_supported_languages(self) -> list[str]:
        return list(_STOP_WORDS)


class OfflineEmailRecognizer(predefined.EmailRecognizer):
    """Presidio's, with the suffix list that ships in tldextract: its own fetches a newer one from the network."""

    _extract = tldextract.TLDExtract(cache_dir=None, suffix_list_urls=(), fallback_to_snapshot=True)

    def validate_result(self, pattern_text: str) -> bool:
        return bool(self._extract(pattern_text).fqdn)


# Presidio's expression in three parts: host, top-level domain, path. Its path as RE2 reads it, where `\s` is ASCII.
_BASE = predefined.UrlRecognizer.BASE_URL_REGEX
_TOP = _BASE[_BASE.index("(?:(?:com)") : _BASE.index("(?:/[^")]
_HOST = r"[a-z0-9.\-]{1,253}[.]"
_UNICODE_SPACE = r"\s\x0b\x1c-\x1f" + "\x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000"
_PATH = rf"(?::[0-9]{{1,5}})?/[^{_UNICODE_SPACE}()<>\"']*"
_COMMON = r"(?:com|org|net|edu|gov|mil|int|info|biz|io|dev|ai|eu|(?:com?|org|net|ac|gov|edu)[.][a-z]{2})"


class PreciseUrlRecognizer(predefined.UrlRecognizer):
    """Presidio's, without what it finds in code and in prose that lacks a space.

    Its expression takes `np.ar` of `np.array` for a URL: 4,488 such hits in 8,315 answers of language models. Here
    the domain has to end where the word ends, and a host without scheme, `www.` or path needs a common domain
    or a context word to count as more than a guess.
    """

    PATTERNS = [
        Pattern("With scheme", rf"(?i)https?://{_HOST}{_TOP}\b(?:{_PATH})?", 0.6),
        Pattern(
            "Without scheme",
            rf"(?i)(?:www\d{{0,3}}[.]{_HOST}{_TOP}\b(?:{_PATH})?|{_HOST}{_TOP}\b{_PATH}|{_HOST}{_COMMON}\b)",
            0.5,
        ),
        Pattern("Domain alone", rf"(?i){_HOST}{_TOP}\b", 0.3),
    ]


class _Regions(tuple[str, ...]):
    """Regions of phone numbers: the recognizer reads the text once for each, and checks the deadline between them."""

    def __iter__(self) -> Iterator[str]:
        for region in super().__iter__():
            deadline_of_scan.get().check()
            yield region


class _Bounded:
    """A compiled pattern that gives up at the deadline, by an exception that Presidio does not swallow."""

    def __init__(self, expression: Any) -> None:
        self._expression = expression

    def finditer(self, text: str, timeout: float) -> Iterator[Any]:
        allowed = min(timeout, deadline_of_scan.get().remaining())
        if allowed <= 0:
            raise DeadlineExceeded
        try:
            yield from self._expression.finditer(text, timeout=allowed)
        except TimeoutError:
            # Presidio logs a time-out and goes on as if nothing had been there.
            raise DeadlineExceeded from None


class _Span:
    def __init__(self, start: int, end: int) -> None:
        self._span = start, end

    def span(self) -> tuple[int, int]:
        return self._span


class _Linear:
    """A pattern on RE2. Presidio's URL pattern takes 15 s for 20 kB of `a.a.a.` with backtracking."""

    def __init__(self, expression: Regex) -> None:
        self._expression = expression

    def finditer(self, text: str, timeout: float) -> Iterator[_Span]:
        for match in self._expression.finditer(encodable(text)):
            yield _Span(match.start(), match.end())


def _linear(expression: str) -> _Linear:
    return _Linear(compile_linear("(?ms)" + expression))


def _bounded(expression: str) -> _Bounded:
    import regex  # type: ignore[import-untyped]  # the engine that Presidio uses

    return _Bounded(regex.compile(expression, flags=FLAGS))


def _secure(recognizer: PatternRecognizer) -> PatternRecognizer:
    """Give `recognizer` patterns of its own (a class shares them) that are already compiled, the safe way."""
    compiled: Callable[[str], Any] = _linear if isinstance(recognizer, PreciseUrlRecognizer) else _bounded
    secured = []
    for original in recognizer.patterns:  # type: ignore[has-type]
        pattern = Pattern(original.name, original.regex, original.score)
        pattern.compiled_regex = compiled(original.regex)
        pattern.compiled_with_flags = FLAGS  # type: ignore[assignment]
        secured.append(pattern)
    recognizer.patterns = secured  # type: ignore[has-type]
    return recognizer


_CARD_CONTEXT_ES = ["tarjeta", "credito", "visa", "mastercard", "cc", "amex", "discover", "jcb", "diners", "maestro"]

# For each language: the recognizers that its texts get beside the generic ones. As Presidio's own default registry,
# and British national insurance numbers.
_NATIONAL: dict[str, tuple[str, ...]] = {
    "en": (
        "UsBankRecognizer",
        "UsLicenseRecognizer",
        "UsItinRecognizer",
        "UsPassportRecognizer",
        "UsSsnRecognizer",
        "MedicalLicenseRecognizer",
        "NhsRecognizer",
        "UkNinoRecognizer",
    ),
    "es": ("EsNifRecognizer", "EsNieRecognizer"),
    "it": (
        "ItDriverLicenseRecognizer",
        "ItFiscalCodeRecognizer",
        "ItVatCodeRecognizer",
        "ItIdentityCardRecognizer",
        "ItPassportRecognizer",
    ),
    "pl": ("PlPeselRecognizer",),
}
_GENERIC = (
    "CryptoRecognizer",
    "DateRecognizer",
    "IbanRecognizer",
    "IpRecognizer",
    "MacAddressRecognizer",
    "UuidRecognizer",
)

# What a text must contain for a recognizer to find anything: sound, because each of its patterns needs one. All
# others need a digit.
_NEEDS = {
    "EMAIL_ADDRESS": re.compile("@"),
    "IP_ADDRESS": re.compile(r"\d\.|:"),
    "MAC_ADDRESS": re.compile(r"[0-9A-Fa-f]{2}[:.-]"),
    "URL": re.compile(r"\."),
    "UUID": re.compile("-"),
}
_DIGIT = re.compile(r"\d")


def _build(language: str) -> list[EntityRecognizer]:
    cards = _CARD_CONTEXT_ES if language == "es" else None
    patterns = [
        predefined.CreditCardRecognizer(supported_language=language, context=cards),
        OfflineEmailRecognizer(supported_language=language),
        PreciseUrlRecognizer(supported_language=language),
        *(getattr(predefined, name)(supported_language=language) for name in _GENERIC + _NATIONAL[language]),
    ]
    phone = predefined.PhoneRecognizer(
        supported_language=language, supported_regions=_Regions(predefined.PhoneRecognizer.DEFAULT_SUPPORTED_REGIONS)
    )
    return [*(_secure(recognizer) for recognizer in patterns), phone]


class Scanner:
    """All recognizers of a language over one window of text. Safe to use from several threads."""

    def __init__(self, language: str) -> None:
        self.language = language
        self.recognizers = _build(language)
        self._words = Words()
        self._no_words = self._words.process_text("", language)  # recognizers take it and do not look
        self._context = LemmaContextAwareEnhancer()
        needs = [_NEEDS.get(recognizer.supported_entities[0], _DIGIT) for recognizer in self.recognizers]
        self._gated = list(zip(needs, self.recognizers, strict=True))

    def scan(self, text: str, deadline: Deadline) -> list[RecognizerResult]:
        """Return what Presidio's AnalyzerEngine returns for `text` with these recognizers, whatever the score."""
        token = deadline_of_scan.set(deadline)
        try:
            found: list[RecognizerResult] = []
            for needed, recognizer in self._gated:
                if needed.search(text):
                    deadline.check()
                    found += recognizer.analyze(text, recognizer.supported_entities, self._no_words)
            if not found:
                return []
            deadline.check()
            words = self._words.process_text(text, self.language)
            results = self._context.enhance_using_context(text, found, words, self.recognizers)
            return list(EntityRecognizer.remove_duplicates(results))
        finally:
            deadline_of_scan.reset(token)
