"""Phrases: every spelling of a term is found, at the right place, and nothing else."""

from __future__ import annotations

import time
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from screening.detectors.folding import fold
from screening.detectors.phrases import Phrases, PhrasesOptions
from screening.findings import Deadline, DeadlineExceeded


def phrases(*terms: str, whole_word: bool = True) -> Phrases:
    lists = {"listed": {"terms": terms, "whole_word": whole_word}}
    return Phrases(PhrasesOptions.model_validate({"lists": lists}))


def found(detector: Phrases, text: str) -> list[str]:
    return [text[hit.start : hit.end] for hit in detector.detect(text, Deadline())]


@pytest.mark.parametrize(
    ("term", "text", "spelling"),
    [
        ("zork", "a ZORK here", "ZORK"),
        ("zork", "😀😀 zork", "zork"),
        ("zork", "\u202eשלום zork\u202c", "zork"),
        ("zork", "z\u200bo\u00adr\u2060k!", "z\u200bo\u00adr\u2060k"),
        ("zork", "zo\u0301rk\u0301.", "zo\u0301rk\u0301"),
        ("zork", "ｚｏｒｋ", "ｚｏｒｋ"),
        ("zork", "𝐳𝐨𝐫𝐤", "𝐳𝐨𝐫𝐤"),
        ("zork", "zоrk with a Cyrillic o", "zоrk"),
        ("zork", "Ζork with a Greek Zeta", "Ζork"),
        ("zork", "z0rk", "z0rk"),
        ("zork", "it is z.o.r.k today", "z.o.r.k"),
        ("zork", "it is z - o - r - k today", "z - o - r - k"),
        ("zork", "what a z o r k", "z o r k"),
        ("zork", "_zork_", "zork"),
        ("zork", "🇿🇴🇷🇰", "🇿🇴🇷🇰"),
        ("kill", "k1ll", "k1ll"),
        ("kill", "kil1", "kil1"),
        ("kill", "k111", "k111"),
        ("pass", "p@$5", "p@$5"),
        ("ass", "a$$", "a$$"),
        ("ass", "@ss", "@ss"),
        ("straße", "STRASSE", "STRASSE"),
        ("große freiheit", "Grosse\n\t Freiheit", "Grosse\n\t Freiheit"),
        ("война", "ВОЙНА", "ВОЙНА"),
        ("바보", "바보야", "바보"),
        ("바보", "\u1107\u1161\u1107\u1169", "\u1107\u1161\u1107\u1169"),
        ("傻瓜", "你是傻瓜吗", "傻瓜"),
        ("कमल", "यह कमल है", "कमल"),
        ("c++", "in c++.", "c++"),
        ("100", "all 100 of them", "100"),
        ("100", "it costs $100", "100"),
        ("٤٢", "42", "42"),
        ("john", "hello @john", "john"),
        ("😀", "so 😀 it is", "😀"),
        ("kill yourself", "go kill-yourself now", "kill-yourself"),
        ("kill yourself", "KILL_YOURSELF", "KILL_YOURSELF"),
        ("kill yourself", "kill.yourself", "kill.yourself"),
        ("kill yourself", "x/kill/yourself/y", "kill/yourself"),
        ("kill yourself", "kill\r\nyourself", "kill\r\nyourself"),
        ("kill yourself", "é kill -–_ ...\n yourself", "kill -–_ ...\n yourself"),
        ("kill yourself", "k1ll\u2011your\u200bself", "k1ll\u2011your\u200bself"),
        ("kill yourself", "go #killyourself", "killyourself"),
        ("kill yourself", "kill-your-self", "kill-your-self"),
        ("badword", "a bad-word here", "bad-word"),
        ("badword", "é bad-\nword", "bad-\nword"),
        ("badword", "bad\u2010\r\n  word", "bad\u2010\r\n  word"),
    ],
)
def test_spellings_are_found_where_they_are(term: str, text: str, spelling: str) -> None:
    assert found(phrases(term), text) == [spelling]


@pytest.mark.parametrize(
    ("term", "text"),
    [
        ("zork", "zorkmid azork"),
        ("zork", "zo rk"),
        ("ass", "455 in the class, user@ss.example"),
        ("ass", "a s s e t"),
        ("ioo", "100"),
        ("100", "ioo 1000 l00"),
        ("kill", "kiii"),
        ("kill yourself", "killyourselfie, overkillyourself"),
        ("kill yourself", "kill, yourself; kill x yourself"),
        ("in it", "init"),
        ("badword", "bad\nword, bad word, bad- word, bad--word"),
        ("badword", "a bad-wording, not-bad-word"),
        ("100", "they lost 10-0"),
        ("कम", "कमी"),
        ("각", "가고"),
        ("가", "각"),
    ],
)
def test_other_words_and_numbers_are_left_alone(term: str, text: str) -> None:
    assert found(phrases(term), text) == []


def test_parts_of_words_are_found_when_asked_for() -> None:
    assert found(phrases("zork", whole_word=False), "zorkmids, Bezork") == ["zork", "zork"]


def test_parts_of_words_are_not_put_together_across_a_hyphen() -> None:
    assert found(phrases("kup", "kill yourself", whole_word=False), "pick-up overkillyourself") == []


def test_the_list_is_the_category_and_a_label() -> None:
    options = PhrasesOptions.model_validate({"lists": {"a": {"terms": ["one"]}, "b": {"terms": ["one", "two"]}}})
    hits = Phrases(options).detect("two one", Deadline())
    assert [(hit.category, hit.start, hit.score) for hit in hits] == [("b", 0, 1.0), ("a", 4, 1.0), ("b", 4, 1.0)]
    assert options.labels() == {"a", "b"}


@pytest.mark.parametrize(
    "lists",
    [
        {},
        {"x": {"terms": []}},
        {"x": {"terms": ["\u200b\u00ad"]}},
        {"": {"terms": ["a"]}},
        {"x": {"terms": ["a"], "q": 1}},
    ],
)
def test_useless_lists_are_refused(lists: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        PhrasesOptions.model_validate({"lists": lists})


def test_the_deadline_holds() -> None:
    with pytest.raises(DeadlineExceeded):
        phrases("zork").detect("zork", Deadline(time.time() - 1))


def test_a_megabyte_and_thousands_of_terms_take_one_pass() -> None:
    detector = phrases(*(f"term{number}x" for number in range(5_000)))
    text = "a.b.c " * 90_000 + "term4999x" + " \u00e9\u200b" * 150_000
    assert found(detector, text) == ["term4999x"]


characters = st.one_of(st.characters(), st.sampled_from("zork0@$ .-\u200b\u00ad\u0301ß𝐳оﬁ가\u1161\ud800"))


@given(st.text(characters))
def test_folded_places_lead_back_to_the_original(text: str) -> None:
    folded = fold(text)
    assert len(folded.skeleton) == len(folded.text)
    for place in range(len(folded.text)):
        start, end = folded.span(place, place + 1)
        assert 0 <= start < end <= len(text)
        assert folded.text[place] in fold(text[start:end]).text


@given(
    st.text(characters, max_size=30), st.text(characters, max_size=30), st.text(st.sampled_from("zorkab "), min_size=1)
)
@settings(max_examples=200)
def test_a_term_on_its_own_is_found_and_slices_back(before: str, after: str, term: str) -> None:
    if not term.strip():
        return
    text = f"{before}, {term} ,{after}"
    slices = found(phrases(term), text)
    assert fold(term).text.strip() in [fold(piece).text.strip() for piece in slices]
