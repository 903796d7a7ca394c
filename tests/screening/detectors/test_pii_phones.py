"""The reader of phone numbers gives up early only where `phonenumbers` finds none, and joins regions without harm."""

from __future__ import annotations

import random
from collections.abc import Iterator

import phonenumbers
import pytest
from phonenumbers import Leniency, PhoneNumberMatcher
from phonenumbers.phonenumberutil import COUNTRY_CODE_TO_REGION_CODE
from presidio_analyzer.predefined_recognizers import PhoneRecognizer

from screening.detectors import pii_phones
from screening.findings import Deadline

_PREFIXES = ("", "", "", "0", "1", "00", "90", "9015", "01521", "180020")
_JOINTS = (" ", " ", "-", " - ", "/", ". ", " (", ") ", " ext. ", "x", " x", "#", "/x", ", ", "\u2013", "~", "\n")


def numbers(region: str, source: random.Random) -> Iterator[str]:
    """Yield digits like those of the region's numbers, of every kind and dialled in every way; for ever."""
    code = phonenumbers.country_code_for_region(region)
    examples = [
        str(example.national_number)
        for name in COUNTRY_CODE_TO_REGION_CODE[code]
        for kind in range(11)
        if (example := phonenumbers.example_number_for_type(name, kind))
    ]
    while True:
        digits = source.choice(examples)
        digits = digits[: source.randrange(3, 16)] + "".join(source.choices("0123456789", k=source.randrange(4)))
        before = source.choice(("", "", str(code), f"00{code}", f"011{code}"))
        yield before + source.choice(_PREFIXES) + (source.choice(examples) if source.random() < 0.5 else digits)


def is_number(region: str, digits: str) -> bool:
    return [match.raw_string for match in PhoneNumberMatcher(digits, region)] == [digits]


@pytest.mark.parametrize("region", pii_phones.REGIONS)
def test_a_region_is_left_out_only_when_the_digits_are_none_of_its_numbers(region: str) -> None:
    source = random.Random(region)
    all_digits = numbers(region, source)
    found = [digits for digits in (next(all_digits) for _ in range(4_000)) if is_number(region, digits)]
    assert len(found) > 400
    assert [digits for digits in found if region not in pii_phones.regions_of(digits)] == []


def test_numbers_that_need_a_prefix_are_not_parsed_without_it() -> None:
    """Dates, addresses and national numbers have such digits: what makes dense texts slow."""
    assert [pii_phones.regions_of(part) for part in ("2024-02-29", "10.20.30.40", "536-90-4399")] == [[], [], []]
    assert "DE" in pii_phones.regions_of("030 901820")
    assert "FR" in pii_phones.regions_of("01 42 68 53 00")


def test_the_regions_take_off_what_their_country_code_takes_off() -> None:
    """Whether a prefix is needed is decided by the leading region of the code, and read from the region here."""
    for region in pii_phones.REGIONS:
        leading = phonenumbers.region_code_for_country_code(phonenumbers.country_code_for_region(region))
        ours, theirs = pii_phones._metadata(region), pii_phones._metadata(leading)
        assert ours.national_prefix_for_parsing == theirs.national_prefix_for_parsing


def test_lengths_are_known_of_every_region() -> None:
    for region in pii_phones.REGIONS:
        for name in COUNTRY_CODE_TO_REGION_CODE[phonenumbers.country_code_for_region(region)]:
            lengths = pii_phones._metadata(name).general_desc.possible_length
            assert lengths, name
            assert min(lengths) > 0


def test_regions_read_together_find_what_each_finds_for_itself() -> None:
    """Numbers one after the other, joined by what makes candidates of them, with parts in some regions only."""
    source = random.Random(2)
    all_digits = {region: numbers(region, source) for region in pii_phones.REGIONS}
    plain = PhoneRecognizer()
    for _ in range(700):
        pieces = [next(all_digits[source.choice(pii_phones.REGIONS)]) for _ in range(source.choice((1, 2, 3, 4)))]
        text = "".join(source.choice(("", "", "+", "(")) + piece + source.choice(_JOINTS) for piece in pieces)
        theirs = {(each.start, each.end) for each in plain.analyze(text, ["PHONE_NUMBER"])}
        spans = pii_phones.phone_numbers(text, Leniency.VALID, Deadline())
        assert {each for each in spans if not inside_another(each, spans)} == theirs, ascii(text)


def inside_another(span: tuple[int, int], spans: set[tuple[int, int]]) -> bool:
    return any(start <= span[0] and span[1] <= end for start, end in spans - {span})
