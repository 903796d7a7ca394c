"""Presidio's phone recognizer, which reads a text once for each of its regions, without reading it eight times.

The matcher of `phonenumbers` looks for candidates and tries to parse each, and its parts, as a number of its region.
Here candidates are looked for once and taken apart once, and a part is parsed for those regions only whose numbers have
its digits.
"""

from __future__ import annotations

import functools
import re
import unicodedata
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

import phonenumbers
from phonenumbers import PhoneMetadata, PhoneNumberMatcher
from phonenumbers.phonenumbermatcher import _PATTERN
from phonenumbers.phonenumberutil import (
    _PLUS_CHARS_PATTERN,
    _SECOND_NUMBER_START_PATTERN,
    COUNTRY_CODE_TO_REGION_CODE,
    _formatting_rule_has_first_group_only,
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
# The matcher takes at least so many digits into a candidate when there are.
_MAX_BLOCKS = 20

_DIGIT = re.compile(r"\d")
_LETTERS = r"[^\W\d_](?:[\W\d_]*[^\W\d_]){2}"
_VANITY = re.compile(_LETTERS)  # from three letters on they may count as digits
_ENOUGH = re.compile(rf"\d(?:\D*\d){{{_MIN_DIGITS - 1}}}|{_LETTERS}")
# How an extension begins; without one, a number has all the digits.
_EXTENSION = re.compile(r"[^\W\d_]|[#~;\uff03\uff5e]")
_SPECIAL = re.compile(rf"{_EXTENSION.pattern}|{_PLUS_CHARS_PATTERN.pattern}")
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
        regions = COUNTRY_CODE_TO_REGION_CODE[code]
        any_number = "|".join(sorted(set(_patterns(regions))))
        self.within = re.compile(any_number)
        # Parsing takes off the country code and then, twice, what is dialled before a national number.
        dialled = _metadata(region).national_prefix_for_parsing or "(?!)"
        before = len(str(code)) + 2 * (longest(dialled) or 0)
        # From digits that begin with neither nothing is taken off: they are the national number. Dialled without a
        # prefix it counts only when the first of the formats that fits it needs none, so when one of these fits, or
        # none of all; and its length has to be one of those of the general description.
        formats = _metadata(regions[0]).number_format
        bare = "|".join(["(?!)", *(_fits(each) for each in formats if _needs_no_prefix(each))])
        fits = "|".join(["(?!)", *map(_fits, formats)])
        lengths = {each for name in regions for each in _metadata(name).general_desc.possible_length}
        self.lengths = range(min(lengths), max(lengths) + before + 1)  # with what is taken off
        exact = "|".join(f"[0-9]{{{each}}}" for each in sorted(lengths))
        self.whole = re.compile(
            rf"(?={code}|{dialled})[0-9]{{0,{before}}}(?:{any_number})"
            rf"|(?=(?:{exact})\Z)(?:(?={bare})|(?!{fits}))(?:{any_number})"
        )


def _metadata(region: str) -> Any:
    return PhoneMetadata.metadata_for_region(region)


def _patterns(regions: Collection[str]) -> Iterator[str]:
    for region in regions:
        for kind in _KINDS:
            description = getattr(_metadata(region), kind)
            if description is not None and description.national_number_pattern:
                yield f"(?:{description.national_number_pattern})"


def _fits(number_format: Any) -> str:
    leading = number_format.leading_digits_pattern[-1:]
    return rf"(?={leading[0] if leading else ''})(?:{number_format.pattern})\Z"


def _needs_no_prefix(number_format: Any) -> bool:
    rule = number_format.national_prefix_formatting_rule
    return number_format.national_prefix_optional_when_formatting or _formatting_rule_has_first_group_only(rule)


@functools.cache
def _numbers() -> Mapping[str, _Numbers]:
    return {region: _Numbers(region) for region in REGIONS}


@functools.cache
def _of_length(length: int) -> Sequence[tuple[str, re.Pattern[str]]]:
    return [(region, each.whole) for region, each in _numbers().items() if length in each.lengths]


def regions_of(part: str) -> Collection[str]:
    """Return the regions for which `part` as a whole may be a number; rather too many."""
    if not _ENOUGH.search(part):
        return ()
    digits = "".join(_DIGIT.findall(part))
    if not digits.isascii():
        digits = "".join(str(unicodedata.digit(digit)) for digit in digits)
    if len(digits) >= _MIN_PREFIXED and _PREFIX.match(digits):
        return REGIONS
    if not _SPECIAL.search(part):
        return [region for region, whole in _of_length(len(digits)) if whole.fullmatch(digits)]
    if _VANITY.search(part) or (len(digits) >= _MIN_INTERNATIONAL and _PLUS_CHARS_PATTERN.search(part)):
        return REGIONS
    return [region for region, each in _numbers().items() if each.within.search(digits)]


class _Matcher(PhoneNumberMatcher):
    """The matcher of `phonenumbers`, for several regions at a time."""

    def __init__(self, text: str, leniency: int, deadline: Deadline) -> None:
        # Never gives up: after 65,535 candidates that are no numbers its own default would.
        super().__init__(text, None, leniency, max_tries=2**63)
        self._deadline = deadline
        self._candidate = ""
        self._regions: list[str] = []
        self._found: dict[str, Any] = {}

    def candidate(self, index: int) -> tuple[int, str] | None:
        """Return the next candidate from `index` on, and where it begins."""
        self._deadline.check()
        # Prose is skipped: looking for a digit is ten times as fast as looking for a candidate.
        digit = _DIGIT.search(self.text, index)
        match = _PATTERN.search(self.text, max(index, digit.start() - _LEAD)) if digit else None
        if match is None:
            return None
        return match.start(), _SECOND_NUMBER_START_PATTERN.split(match[0], maxsplit=1)[0]

    def numbers(self, start: int, candidate: str, regions: Collection[str]) -> Mapping[str, Any]:
        """Return, by region, the match that each of `regions` for itself finds in `candidate`; of most none."""
        self._candidate, self._regions, self._found = candidate, list(regions), {}
        if _ENOUGH.search(candidate):
            self._extract_match(candidate, start)
        return self._found

    def _parse_and_verify(self, candidate: str, offset: int) -> Any:
        """Try a part, for each region that has no match yet; return a match when no other part is to be tried."""
        self._deadline.check()
        match = None
        for region in regions_of(candidate):
            if region in self._regions:
                self.preferred_region = region
                match = super()._parse_and_verify(candidate, offset)
                if match is not None:
                    self._found[region] = match
                    self._regions.remove(region)
                    if self._ends_all(candidate):
                        return match
        return None if self._regions else match

    def _ends_all(self, number: str) -> bool:
        """Say whether no region can find anything but parts of `number`, which are dropped in the end.

        So it is for the whole candidate: one that is found from inside it goes to the same end. Not so after an
        extension, which may be followed by more digits, nor where the candidate ends for its length.
        """
        return (
            number == self._candidate and not _EXTENSION.search(number) and len(_DIGIT.findall(number)) <= _MAX_BLOCKS
        )


def phone_numbers(text: str, leniency: int, deadline: Deadline) -> set[tuple[int, int]]:
    """Return the spans of the phone numbers of REGIONS in `text`; raise DeadlineExceeded between two candidates."""
    matcher = _Matcher(text, leniency, deadline)
    found = set()
    waiting = {0: list(REGIONS)}  # where each region looks for its next candidate
    while waiting:
        index = min(waiting)
        regions = waiting.pop(index)
        candidate = matcher.candidate(index)
        if candidate is not None:
            matches = matcher.numbers(*candidate, regions)
            for region, match in matches.items():
                found.add((match.start, match.end))
                waiting.setdefault(match.end, []).append(region)
            others = [region for region in regions if region not in matches]
            if others:
                waiting.setdefault(candidate[0] + len(candidate[1]), []).extend(others)
    return found
