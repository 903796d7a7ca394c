"""The fast reader of personal data finds what Presidio's AnalyzerEngine finds: every span, every score."""

from __future__ import annotations

import itertools
import sys
import threading
import unicodedata
from collections.abc import Iterator
from typing import Any

import pytest
import regex
from hypothesis import given, settings
from hypothesis import strategies as st
from phonenumbers import PhoneMetadata
from phonenumbers.phonenumberutil import _VALID_PUNCTUATION, COUNTRY_CODE_TO_REGION_CODE
from presidio_analyzer.context_aware_enhancers import LemmaContextAwareEnhancer

from bench.plain_presidio import Found, PlainPresidio, Words
from screening.detectors import pii_phones, pii_prefilter, pii_scanner
from screening.detectors.pii_context import Context
from screening.detectors.pii_recognizers import STOP_WORDS, pattern_recognizers
from screening.detectors.pii_scanner import Scanner
from screening.detectors.pii_searches import EmailSearch
from screening.findings import Deadline
from tests.screening.detectors.pii_texts import Texts

FLAGS = regex.DOTALL | regex.MULTILINE | regex.IGNORECASE


@pytest.fixture(scope="module")
def english() -> tuple[Scanner, PlainPresidio]:
    return Scanner("en"), PlainPresidio("en")


@pytest.fixture(scope="module")
def every_character() -> tuple[str, str]:
    """All characters there are, and their stand-ins."""
    everything = "".join(map(chr, range(sys.maxunicode + 1)))
    return everything, pii_prefilter.stand_ins(everything).decode("ascii")


def found(scanner: Scanner, text: str) -> list[Found]:
    results = scanner.scan(text, Deadline())
    return sorted((each.entity_type, each.start, each.end, each.score) for each in results)


@pytest.mark.parametrize(("language", "count"), [("en", 3_500), ("es", 500), ("it", 500), ("pl", 500)])
def test_it_finds_what_presidio_finds_in_5000_texts(language: str, count: int) -> None:
    scanner, plain = Scanner(language), PlainPresidio(language)
    for text in itertools.islice(Texts(seed=len(language) + count), count):
        assert found(scanner, text) == plain.find(text), ascii(text)


@given(st.text(st.one_of(st.sampled_from("0123456789-:.@/+() abfAZx\u200b😀٣ſé_\n"), st.characters()), max_size=80))
@settings(max_examples=150, deadline=None)
def test_it_finds_what_presidio_finds_in_any_text(english: tuple[Scanner, PlainPresidio], text: str) -> None:
    scanner, plain = english
    assert found(scanner, text) == plain.find(text)


def test_it_finds_the_same_without_hyperscan(
    english: tuple[Scanner, PlainPresidio], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pii_prefilter, "AVAILABLE", False)
    plain = Scanner("en")
    for text in itertools.islice(Texts(seed=5), 300):
        assert found(plain, text) == found(english[0], text), ascii(text)


def test_threads_do_not_disturb_each_other(english: tuple[Scanner, PlainPresidio]) -> None:
    scanner, _ = english
    texts = list(itertools.islice(Texts(seed=6), 150))
    alone = [found(scanner, text) for text in texts]
    together: list[list[list[Found]]] = []
    threads = [
        threading.Thread(target=lambda: together.append([found(scanner, text) for text in texts])) for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert together == [alone] * 4


def unmatched(atom: str, flags: int, every_character: tuple[str, str]) -> set[int]:
    everything, seen = every_character
    taken = {match.start() for match in regex.finditer(atom, everything, flags)}
    return taken - {match.start() for match in regex.finditer(atom, seen, flags | regex.ASCII)}


def test_a_stand_in_is_taken_by_every_class_that_takes_the_character(every_character: tuple[str, str]) -> None:
    """What the prefilter's soundness rests on: no expression sees less in the stand-ins than in the text."""
    everything, seen = every_character
    assert len(seen) == len(everything)
    for atom in (r"\w", r"\d", r"\s", "[a-z]", "[A-Z]", "[0-9]", "k", "s", "i", "x", "[ _]"):
        assert not unmatched(atom, FLAGS, every_character), atom


def classes(expressions: Iterator[str]) -> set[str]:
    return {each for expression in expressions for each in regex.findall(r"\[(?:\\.|[^\]])+\]|\\[wdsWDS]", expression)}


@pytest.mark.parametrize("language", ["en", "es", "it", "pl"])
def test_the_classes_of_the_recognizers_take_stand_ins(language: str, every_character: tuple[str, str]) -> None:
    """As above for the very classes that Presidio uses, where one of another version might not keep to it."""
    for recognizer in pattern_recognizers(language):
        if recognizer.supported_entities[0] in ("URL", "EMAIL_ADDRESS"):  # not through the prefilter
            continue
        flags = recognizer.global_regex_flags
        for atom in classes(pattern.regex for pattern in recognizer.patterns):
            assert not unmatched(atom, flags, every_character), atom


def test_e_mail_addresses_are_read_with_presidios_own_expression() -> None:
    emails = [each for each in pattern_recognizers("en") if each.supported_entities == ["EMAIL_ADDRESS"]]
    assert [pattern.regex for each in emails for pattern in each.patterns] == [EmailSearch.EXPRESSION]


def test_the_gate_for_phone_numbers_lets_through_what_joins_digits() -> None:
    gate = regex.compile(pii_phones.GATE, regex.IGNORECASE)
    joints = regex.compile(f"[{_VALID_PUNCTUATION}]").findall("".join(map(chr, range(sys.maxunicode + 1))))
    assert len(joints) > 20
    for joint in joints:
        assert gate.search(pii_prefilter.stand_ins(f"1{joint}2{joint * 4}34").decode())


def test_no_phone_number_is_shorter_than_assumed() -> None:
    """`pii_phones` gives up on candidates with few digits; these are the shortest that the metadata allow."""
    national, international = set(), set()
    for code, regions in COUNTRY_CODE_TO_REGION_CODE.items():
        leading = metadata(regions[0], code)  # the one that numbers are parsed with
        # A rule may put digits before those that were written.
        gain = len(regex.sub(r"\\\d|\D", "", leading.national_prefix_transform_rule or ""))
        for region in regions:
            shortest = min(each for each in metadata(region, code).general_desc.possible_length if each > 0) - gain
            international.add(len(str(code)) + shortest)
            if region in pii_phones.REGIONS:
                national.add(shortest)
                assert not gain or leading.national_prefix_transform_rule == r"\2"
    assert min(national) >= pii_phones._MIN_DIGITS
    assert min(international) >= pii_phones._MIN_INTERNATIONAL
    assert min(international) + 2 >= pii_phones._MIN_PREFIXED


def metadata(region: str, code: int) -> Any:
    if region == "001":
        return PhoneMetadata.metadata_for_nongeo_region(code)
    return PhoneMetadata.metadata_for_region(region)


def test_the_regions_dial_abroad_as_assumed() -> None:
    for region in pii_phones.REGIONS:
        prefix = metadata(region, 0).international_prefix
        for digits in map("{:04}".format, range(10_000)):
            if regex.match(prefix, digits):
                assert pii_phones._PREFIX.match(digits), region


@given(
    st.lists(
        st.sampled_from(["the", "Card", "bank", "be", "_", ",", "(", " ", "\n", "İban", "a1", "é", "x" * 350, "9"])
    )
)
@settings(max_examples=60, deadline=None)
def test_context_words_are_those_of_presidio(parts: list[str]) -> None:
    text = "".join(parts)
    nlp = Words().process_text(text, "en")
    context = Context(text, frozenset(STOP_WORDS["en"]))
    for start in [place for place, each in enumerate(text) if not each.isspace()][::3]:
        theirs = LemmaContextAwareEnhancer()._extract_surrounding_words(nlp, text[start:], start)
        assert set(context._near(start)) == set(theirs)


class Given(pii_scanner._Reader):
    spans: tuple[tuple[int, int, float], ...]

    def _found(self, text: str, ends: pii_scanner.Ends | None, deadline: Deadline) -> Iterator[tuple[int, int, float]]:
        yield from self.spans


@pytest.mark.parametrize(
    ("spans", "kept"),
    [
        ([(4, 8, 0.4), (0, 9, 0.4)], [(0, 9)]),
        ([(0, 9, 0.4), (0, 4, 0.3)], [(0, 9)]),
        ([(0, 9, 0.4), (0, 9, 0.4)], [(0, 9)]),
        ([(4, 8, 0.4), (0, 4, 0.4)], [(0, 4), (4, 8)]),
    ],
)
def test_results_inside_others_go_before_context_words_raise_them(
    spans: list[tuple[int, int, float]], kept: list[tuple[int, int]]
) -> None:
    reader = Given(pattern_recognizers("en")[0])
    reader.spans = tuple(spans)
    context = Context("1 2 3 4 5 6", frozenset())
    assert sorted((each.start, each.end) for each in reader.read("1 2 3 4 5 6", None, context, Deadline())) == kept


def test_digits_of_any_script_count(english: tuple[Scanner, PlainPresidio]) -> None:
    arabic = "".join(unicodedata.lookup(f"ARABIC-INDIC DIGIT {name}") for name in ("TWO", "ZERO"))
    text = f"call 0{arabic} 7946 0958"
    assert found(english[0], text) == english[1].find(text)
    assert any(entity == "PHONE_NUMBER" for entity, *_ in found(english[0], text))


def test_the_database_is_compiled_once_a_process(monkeypatch: pytest.MonkeyPatch) -> None:
    from screening.detectors.pii import Pii, PiiOptions

    Pii(PiiOptions())
    monkeypatch.setattr(pii_scanner, "compile_prefilter", None)
    Pii(PiiOptions(min_score=0.9))
