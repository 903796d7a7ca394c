"""Presidio's recognizers of a language, as its own default registry has them, without anything that calls out.

Imported by workers only: Presidio takes seconds to import.
"""

from __future__ import annotations

import re
from typing import Any

import tldextract
from presidio_analyzer import Pattern
from presidio_analyzer import predefined_recognizers as predefined
from presidio_analyzer.predefined_recognizers import PhoneRecognizer
from spacy.lang.en.stop_words import STOP_WORDS as ENGLISH
from spacy.lang.es.stop_words import STOP_WORDS as SPANISH
from spacy.lang.it.stop_words import STOP_WORDS as ITALIAN
from spacy.lang.pl.stop_words import STOP_WORDS as POLISH

#: For each language: the words that say nothing of what a number is.
STOP_WORDS = {"en": ENGLISH, "es": SPANISH, "it": ITALIAN, "pl": POLISH}


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

#: The names that a host may end with, and the inside of a class of the characters that are in no URL.
TOP_LEVELS = frozenset(re.findall(r"[a-z]+", _TOP))
URL_BREAKS = _UNICODE_SPACE + "()<>\"'"


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


def pattern_recognizers(language: str) -> list[Any]:
    """Return the recognizers by pattern of `language` (PatternRecognizer): all but the one for phone numbers."""
    cards = _CARD_CONTEXT_ES if language == "es" else None
    return [
        predefined.CreditCardRecognizer(supported_language=language, context=cards),
        OfflineEmailRecognizer(supported_language=language),
        PreciseUrlRecognizer(supported_language=language),
        *(getattr(predefined, name)(supported_language=language) for name in _GENERIC + _NATIONAL[language]),
    ]


def phone_recognizer(language: str) -> PhoneRecognizer:
    return PhoneRecognizer(supported_language=language)
