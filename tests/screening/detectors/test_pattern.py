"""Pattern: RE2 expressions, refused early with a hint, matched in linear time."""

from __future__ import annotations

import time

import pytest
from pydantic import ValidationError

from screening.detectors.pattern import Pattern, PatternOptions
from screening.findings import Deadline, DeadlineExceeded


def pattern(expression: str) -> Pattern:
    return Pattern(PatternOptions(patterns={"ticket": expression}))


@pytest.mark.parametrize("before", ["", "😀 ", "\u202eשלום\u202c ", "a\u200bb ", "é" * 50 + " ", "\ud800 ", "\0 "])
def test_offsets_are_code_points(before: str) -> None:
    text = f"{before}T-12 and T-345 😀"
    hits = pattern(r"T-\d+").detect(text, Deadline())
    assert [text[hit.start : hit.end] for hit in hits] == ["T-12", "T-345"]
    assert {hit.category for hit in hits} == {"ticket"}


@pytest.mark.parametrize(
    ("expression", "hint"),
    [
        (r"(?=a)b", "lookahead"),
        (r"(?<!a)b", "lookbehind"),
        (r"(.)\1", "backreferences"),
        (r"(?>a+)b", "atomic"),
        (r"a++b", "possessive"),
        (r"(a", r"missing \)"),
        (r"a*", "empty text"),
        (r"a|", "empty text"),
        (r"((a{100}){10}b){100}", "repetition"),
        (r"(?:\pL{900}x\pN{900}y\pL{900})", "instructions|too large"),
    ],
)
def test_what_cannot_run_is_refused_with_a_hint(expression: str, hint: str) -> None:
    with pytest.raises(ValidationError, match=rf"pattern ticket: .*(?:{hint})"):
        PatternOptions(patterns={"ticket": expression})


@pytest.mark.parametrize("patterns", [{}, {"": "a"}, {"a b": "a"}, {"a": ""}])
def test_useless_options_are_refused(patterns: dict[str, str]) -> None:
    with pytest.raises(ValidationError):
        PatternOptions(patterns=patterns)


def test_a_catastrophic_expression_takes_linear_time() -> None:
    assert pattern(r"(a+)+$").detect("a" * 200_000 + "b", Deadline()) == []


def test_the_sum_of_searches_is_bounded_by_the_deadline() -> None:
    with pytest.raises(DeadlineExceeded):
        pattern(r"a.*b|a").detect("a" * 1_000_000, Deadline(time.time() + 0.2))


def test_names_are_labels() -> None:
    assert PatternOptions(patterns={"one": "a", "two": "b"}).labels() == {"one", "two"}
