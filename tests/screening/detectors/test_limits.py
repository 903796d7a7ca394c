"""Length and language: limits on the text as a whole."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from screening.detectors.limits import LANGUAGES, Language, LanguageOptions, Length, LengthOptions
from screening.findings import Deadline

FRENCH = "Bonjour, je voudrais savoir quand ma commande arrivera, car je pars en vacances la semaine prochaine."
ENGLISH = "Hello, I would like to know when my order will arrive, because I am leaving on holiday next week."


@pytest.mark.parametrize(
    ("options", "text", "expected"),
    [
        ({"max_characters": 4}, "😀😀😀😀", []),
        ({"max_characters": 3}, "😀😀😀😀", [("too_long", "4 characters, at most 3")]),
        ({"min_characters": 2}, "😀", [("too_short", "1 characters, at least 2")]),
        ({"max_words": 2}, " one  two\nthree ", [("too_long", "3 words, at most 2")]),
        ({"max_words": 1, "max_characters": 3}, "a b", [("too_long", "2 words, at most 1")]),
        ({"min_characters": 1}, "", [("too_short", "0 characters, at least 1")]),
    ],
)  # fmt: skip
def test_limits_are_counted_in_code_points_and_words(options: dict[str, int], text: str, expected: list[Any]) -> None:
    hits = Length(LengthOptions(**options)).detect(text, Deadline())
    assert [(hit.category, hit.detail) for hit in hits] == expected


@pytest.mark.parametrize("options", [{}, {"max_characters": 0}, {"max_characters": 1, "min_characters": 2}])
def test_limits_that_make_no_sense_are_refused(options: dict[str, int]) -> None:
    with pytest.raises(ValidationError):
        LengthOptions(**options)


@pytest.mark.parametrize("text", [FRENCH, f"😀\ud800 {FRENCH}", FRENCH * 5_000])
def test_another_language_is_a_hit_with_its_code(text: str) -> None:
    hits = Language(LanguageOptions(allowed=("en", "de"))).detect(text, Deadline())
    assert [(hit.category, hit.detail, hit.start) for hit in hits] == [("unexpected_language", "fr", None)]
    assert hits[0].score >= 0.8


@pytest.mark.parametrize("text", [ENGLISH, "Oui.", "12345 67890 " * 20, "", "😀" * 100])
def test_expected_short_and_wordless_texts_are_none(text: str) -> None:
    assert Language(LanguageOptions(allowed=("en",))).detect(text, Deadline()) == []


def test_an_unknown_code_is_refused_with_a_suggestion() -> None:
    with pytest.raises(ValidationError, match="use two-letter codes"):
        LanguageOptions(allowed=("English",))
    with pytest.raises(ValidationError, match="did you mean"):
        LanguageOptions(allowed=("enn",))


def test_the_codes_are_those_of_the_model() -> None:
    identifier = Language(LanguageOptions(allowed=("en",)))._identifier
    assert set(identifier.labels) - {"zxx"} == LANGUAGES
