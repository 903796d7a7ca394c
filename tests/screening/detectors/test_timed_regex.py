"""Searches of policies' expressions: they give what RE2 gives on the whole text, and heed the deadline."""

from __future__ import annotations

import random
import time

import pytest

from screening.detectors import timed_regex
from screening.detectors.json_schema import JsonSchema, JsonSchemaOptions
from screening.detectors.linear_regex import compile_linear
from screening.detectors.pattern import Pattern, PatternOptions
from screening.detectors.timed_regex import TimedRegex
from screening.findings import Deadline, DeadlineExceeded

RANDOMLY = random.Random(1)
AX = "".join(RANDOMLY.choice("ax") for _ in range(300_000))


@pytest.mark.parametrize(
    "expression",
    [r"a.{1000}b", r"a[ax]{1,1000}q", r"(?:a|x)*a[ax]{900}c", r"(?is)\bproject\b.{1,300}\bcodename\b.*"],
)
def test_no_text_takes_a_search_beyond_its_limit(expression: str) -> None:
    detector = Pattern(PatternOptions(patterns={"one": expression}))
    text = AX if "project" not in expression else "".join(RANDOMLY.choices(["project ", "a", " "], k=300_000))
    deadline = Deadline.after_ms(500)
    with pytest.raises(DeadlineExceeded):
        detector.detect(text, deadline)
    assert deadline.remaining() > -1


def test_no_text_takes_the_pattern_of_a_schema_beyond_its_limit() -> None:
    detector = JsonSchema(JsonSchemaOptions.model_validate({"schema": {"pattern": "a.{1000}b"}}))
    deadline = Deadline.after_ms(500)
    with pytest.raises(DeadlineExceeded):
        detector.detect(f'"{AX}"', deadline)
    assert deadline.remaining() > -1


@pytest.mark.parametrize(
    "expression",
    [
        r"(?i)confidential.{0,500}salary",
        r"\pL{3,}-\d+",
        r"(?i)password\s*[:=]\s*\S+",
        r"\bT-\d{3,9}\b",
        r"(?i)\b(?:al|be)ta\s+\pL+",
    ],
)
def test_what_people_write_is_found_in_long_texts(expression: str) -> None:
    said = "Confidential: his salary. Ärger-12, password: x7, T-4711, beta version. "
    detector = Pattern(PatternOptions(patterns={"one": expression}))
    assert len(detector.detect(said + "the quick brown fox, " * 19_000 + said, Deadline.after_ms(1_000))) == 2


@pytest.mark.parametrize(
    "expression",
    [
        r"^ab", r"ab$", r"(?m)^ab", r"(?m)b$", r"\bab\b", r"\Bab", r"(?:^|x)a", r"(?:b|\z)b?", r"a{,2}b?", r"ab{1,3}?",
        r"[[:alpha:]]{2}", r"[]a]b", r"\x{e9}\x61", r"\141b", r"(?i:A)B", r"(?P<n>é)(?<m>b)?", r"\pL{2}", r"b\b",
        r"b?$", r"(?U)ab{1,3}", r"\Qab\E", r"a\z", r"\Aa", r".\C", r"(?s)a.{0,9}b", r"[(?i)]?b", r"(a|ab)(b|aab)",
        r"\b",
    ],
)  # fmt: skip
def test_stretches_give_what_the_whole_text_gives(expression: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(timed_regex, "STRETCH", 5)
    randomly = random.Random(2)
    timed, whole = TimedRegex(expression), compile_linear(expression)
    for length in [*range(40), *[60] * 60]:
        text = "".join(randomly.choices("aabbAé x\n.,{", k=length))
        expected = [(match.start(), match.end()) for match in whole.finditer(text)]
        assert list(timed.spans(text, Deadline())) == [span for span in expected if span[0] < span[1]]
        assert timed.found(text, Deadline()) is bool(expected)


def test_a_rule_with_time_begins_also_a_search_that_may_be_slow() -> None:
    timed = TimedRegex(r"(?:a|x)*b[ax]{900}c")
    assert not timed.found("q" * 1_000_000, Deadline(time.time() + 3_600))
