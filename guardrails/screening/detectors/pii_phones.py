"""Presidio's phone recognizer, which reads a text once for each of its regions, without reading it eight times.

The matcher of `phonenumbers` looks for candidates and tries to parse each, and its parts, as a number of its region.
Here the candidates are looked for once, and a region tries those only that have the digits of one of its numbers.
"""

from __future__ import annotations

import functools
import re
import unicodedata
from collections.abc import Collection, Iterator
from typing import Any

import phonenumbers
from phonenumbers import PhoneMetadata, PhoneNumberMatcher
from phonenumbers.phonenumbermatcher import _PATTERN
from phonenumbers.phonenumberutil import (
    _PLUS_CHARS_PATTERN,
    _SECOND_NUMBER_START_PATTERN,
    COUNTRY_CODE_TO_REGION_CODE,
)
from presidio_analyzer.predefined_recognizers import PhoneRecognizer

from screening.detectors.pii_searches import longest
from screening.findings import Deadline

REGIONS = PhoneRecognizer.DEFAULT_SUPPORTED_REGIONS

# What joins the digits of a candidate, in stand-ins; and how its extension begins where that is not one of these.
_JOINT = r"[-x \x01_()\[\]./~#]{0,4}"
#: What a text with a phone number in it matches once its characters are stand-ins. The shortest numbers have four
#: digits; from three letters on, and an "x" is one, letters count as digits.
GATE = rf"[0-9](?:{_JOINT}[0-9x]){{3}}|[0-9][ \t,]*(?:;?ext|xt|int|anexo|_)"

_MIN_DIGITS = 4
# After a plus sign: a country code and a number, together. After a prefix such as 00 or 011: two digits more.
_MIN_INTERNATIONAL = 6
_MIN_PREFIXED = 8
# How far before its first digit a candidate begins: two leading characters, each with up to four of punctuation.
_LEAD = 10

_DIGIT = re.compile(r"\d")
_EXTENSION = re.compile(
    r"[^\W\d_]|[#~;\uff03\uff5e]"
)  # how an extension begins; without one, a number has all the digits
_LETTER = re.compile(r"[^\W\d_]")
_PREFIX = re.compile("0[01]")  # how the international prefixes of REGIONS begin

# Those of phonenumberutil._number_type_helper.
_KINDS = (
    "fixed_line",
    "mobile",
    "toll_free",
    "premium_rate",
    "shared_cost",
    "personal_number",
    "voip",
    "pager",
    "uan",
    "voicemail",
)


class _Numbers:
    """What the digits of a region's numbers look like, and those of numbers that share its country code."""

    def __init__(self, region: str) -> None:
        code = phonenumbers.country_code_for_region(region)
        expressions = set()
        for name in COUNTRY_CODE_TO_REGION_CODE[code]:
            for kind in _KINDS:
                description = getattr(PhoneMetadata.metadata_for_region(name), kind)
                if description is not None and description.national_number_pattern:
                    expressions.add(f"(?:{description.national_number_pattern})")
        any_number = "|".join(sorted(expressions))
        self.within = re.compile(any_number)
        # Parsing takes off the country code and then, twice, what is dialled before a national number.
        own: Any = PhoneMetadata.metadata_for_region(region)
        before = len(str(code)) + 2 * (longest(own.national_prefix_for_parsing or "") or 0)
        self.whole = re.compile(rf"[0-9]{{0,{before}}}(?:{any_number})")


@functools.cache
def _numbers() -> dict[str, _Numbers]:
    return {region: _Numbers(region) for region in REGIONS}


class _Candidates:
    """The candidates of one text, each looked for once and kept for the regions after the first."""

    def __init__(self, text: str, deadline: Deadline) -> None:
        self._text = text
        self._deadline = deadline
        self._next: dict[int, tuple[int, str] | None] = {}
        self._regions: dict[tuple[str, bool], Collection[str]] = {}
        self._taken: set[tuple[int, str]] = set()

    def of_region(self, region: str, index: int) -> Iterator[tuple[int, str]]:
        """Yield where candidates from `index` on begin, and their text: those for which `may_be` says yes."""
        while (found := self._after(index)) is not None:
            start, candidate = found
            if found not in self._taken and self.may_contain(region, candidate):
                yield found
            index = start + len(candidate)

    def take(self, start: int, candidate: str) -> None:
        """Keep a candidate from the regions to come: it is a number, and parts of one are dropped in the end."""
        self._taken.add((start, candidate))

    def may_contain(self, region: str, candidate: str) -> bool:
        """Say whether `candidate`, or a part of it, may be a number of `region`; rather yes than no."""
        return region in self._remember(candidate, False)

    def may_be(self, region: str, part: str) -> bool:
        """Say whether `part` as a whole may be; rather yes than no."""
        return region in self._remember(part, not _EXTENSION.search(part))

    def _remember(self, text: str, whole: bool) -> Collection[str]:
        known = self._regions.get((text, whole))
        if known is None:
            self._regions[text, whole] = known = _regions(text, whole)
        return known

    def _after(self, index: int) -> tuple[int, str] | None:
        if index not in self._next:
            self._next[index] = self._search(index)
        return self._next[index]

    def check_time(self) -> None:
        self._deadline.check()

    def _search(self, index: int) -> tuple[int, str] | None:
        self._deadline.check()
        # Prose is skipped: looking for a digit is ten times as fast as looking for a candidate.
        digit = _DIGIT.search(self._text, index)
        match = _PATTERN.search(self._text, max(index, digit.start() - _LEAD)) if digit else None
        if match is None:
            return None
        return match.start(), _SECOND_NUMBER_START_PATTERN.split(match[0], maxsplit=1)[0]


def _regions(candidate: str, whole: bool) -> Collection[str]:
    """Return the regions for which `candidate`, or else a part of it, may be a number."""
    digits = "".join(str(unicodedata.digit(digit)) for digit in _DIGIT.findall(candidate))
    if len(_LETTER.findall(candidate)) > 2:
        return REGIONS  # letters may count as digits
    if len(digits) < _MIN_DIGITS:
        return ()
    if len(digits) >= _MIN_INTERNATIONAL and _PLUS_CHARS_PATTERN.search(candidate):
        return REGIONS
    if len(digits) >= _MIN_PREFIXED and _PREFIX.search(digits):
        return REGIONS
    return [
        region
        for region, numbers in _numbers().items()
        if (numbers.whole.fullmatch(digits) if whole else numbers.within.search(digits))
    ]


class _Matcher(PhoneNumberMatcher):
    def __init__(self, text: str, region: str, leniency: int, candidates: _Candidates) -> None:
        # Never gives up: after 65,535 candidates that are no numbers its own default would.
        super().__init__(text, region, leniency, max_tries=2**63)
        self._region = region
        self._candidates = candidates

    def _find(self, index: int) -> Any:
        for start, candidate in self._candidates.of_region(self._region, index):
            match = self._extract_match(candidate, start)
            if match is not None:
                if match.raw_string == candidate:
                    self._candidates.take(start, candidate)
                return match
        return None

    def _parse_and_verify(self, candidate: str, offset: int) -> Any:
        self._candidates.check_time()
        return (
            super()._parse_and_verify(candidate, offset) if self._candidates.may_be(self._region, candidate) else None
        )


def phone_numbers(text: str, leniency: int, deadline: Deadline) -> set[tuple[int, int]]:
    """Return the spans of the phone numbers of REGIONS in `text`; raise DeadlineExceeded between two candidates."""
    candidates = _Candidates(text, deadline)
    return {(match.start, match.end) for region in REGIONS for match in _Matcher(text, region, leniency, candidates)}
