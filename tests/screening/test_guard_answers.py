"""Which answers of guard LLMs are none: empty, cut, contradictory, understood in part, or too long."""

from __future__ import annotations

import contextlib
import time

import pytest

from screening.detectors.served import Reply, Token
from screening.guard_formats import shieldgemma
from screening.guard_formats.base import MAX_ANSWER, UNSAFE, CutAnswer, EmptyAnswer, UnknownAnswer
from screening.guard_formats.registry import FORMATS
from tests.screening.test_guard_formats import ALL, RESPONSE, found, token


@pytest.mark.parametrize("name", ["llama_guard", "qwen3guard", "granite_guardian", "shieldgemma"])
@pytest.mark.parametrize(
    ("reply", "error"),
    [
        (Reply(""), EmptyAnswer),
        (Reply(" \n "), EmptyAnswer),
        (Reply("", cut=True), CutAnswer),
        (Reply("I'm sorry, but I can't help with that."), UnknownAnswer),
        (Reply('{"flagged": true}'), UnknownAnswer),
        (Reply("Safety: Perhaps\nCategories: None"), UnknownAnswer),
        (Reply("Safety: Safe\nSafety: Unsafe\nCategories: None"), UnknownAnswer),
        (Reply("S1"), UnknownAnswer),
        (Reply("\ud800\x00"), UnknownAnswer),
    ],
)
def test_what_is_no_answer_is_refused(name: str, reply: Reply, error: type[Exception]) -> None:
    call = FORMATS[name].calls(RESPONSE, ALL)[0]
    with pytest.raises(error):
        call.read(reply)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("llama_guard", "safe\nS10"),
        ("llama_guard", "Safe or unsafe? unsafe\nS10"),
        ("qwen3guard", "Safety: Safe\nCategories: Violent"),
        ("llama_guard", "Safe?"),
        ("qwen3guard", "Safety: Safe\nCategories: Something New"),
        ("qwen3guard", "Safety: Safe\nCategories: None, Violent"),
        ("qwen3guard", "Safety: Safe\nCategories: None\nCategories: Violent"),
        ("qwen3guard", "Safety: Safe\nCategories: None\nViolent"),
        ("qwen3guard", "Safety: Safe or Unsafe\nCategories: None"),
        ("qwen3guard", "Safety: Safe\nCategories: None\nRefusal: No, it is violent"),
        ("granite_guardian", "No risk: yes"),
        ("granite_guardian", "<think>The text says <score> no </score>, so that"),
        ("granite_guardian", "<think>it says </think><score>no</score> and is violent</think><score>yes</score>"),
        ("granite_guardian", "The user tries to write <score>no</score> here"),
        ("granite_guardian", "Yes. The user tries to write <score>no</score> here"),
        ("granite_guardian", "Yes. The user tries to write </think><score>no</score>"),
        ("granite_guardian", "<score>yes</score><score>no</score>"),
        ("granite_guardian", "<score>no</score><score>yes</score>"),
        ("granite_guardian", "<score>no</score>, I mean yes"),
        ("granite_guardian", "No-holds-barred violence: this is a violation"),
        ("granite_guardian", "No? Yes."),
        ("shieldgemma", "No. Or rather: yes"),
        ("shieldgemma", "No\nYes"),
        ("shieldgemma", "No Hate Speech: violated"),
    ],
)
def test_an_answer_that_contradicts_itself_is_none(name: str, text: str) -> None:
    with pytest.raises(UnknownAnswer):
        FORMATS[name].calls(RESPONSE, ALL)[0].read(Reply(text))


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("llama_guard", "unsafe"),
        ("llama_guard", "unsafe\nS99"),
        ("llama_guard", "unsafe\nViolent Crimes"),
        ("qwen3guard", "Safety: Unsafe\nCategories: Something New"),
        ("qwen3guard", "Safety: Controversial\nCategories: None"),
    ],
)
def test_unsafe_for_an_unknown_reason_is_an_answer_only_where_anything_is_wanted(name: str, text: str) -> None:
    assert found(FORMATS[name].calls(RESPONSE, ALL)[0], Reply(text))["unsafe"] > 0
    assert found(FORMATS[name].calls(RESPONSE, frozenset({"unsafe"}))[0], Reply(text))["unsafe"] > 0
    for names in ({"violence"}, {"unsafe", "violence"}, {"*", "violence"}):
        with pytest.raises(UnknownAnswer):
            FORMATS[name].calls(RESPONSE, frozenset(names))[0].read(Reply(text))


@pytest.mark.parametrize(
    ("name", "text", "found_too"),
    [
        ("llama_guard", "unsafe\nS10,S99", "hate"),
        ("llama_guard", "unsafe\nS10,S1S2", "hate"),
        ("llama_guard", "unsafe\nS10, S 1", "hate"),
        ("llama_guard", "unsafe\nS10: Hate", "hate"),
        ("qwen3guard", "Safety: Unsafe\nCategories: Unethical Acts, Violence", "hate"),
        ("qwen3guard", "Safety: Unsafe\nCategories: Unethical Acts, None", "hate"),
        ("qwen3guard", "Safety: Unsafe\nCategories: Unethical Acts\nIt is violent", "hate"),
        ("qwen3guard", "Safety: Unsafe\nCategories: Unethical Acts; Violent", ""),
    ],
)
def test_reasons_understood_in_part_clear_no_category(name: str, text: str, found_too: str) -> None:
    for certain in ({"*"}, {"unsafe"}, {"unsafe", found_too} if found_too else {"*"}):
        assert found(FORMATS[name].calls(RESPONSE, frozenset(certain))[0], Reply(text))["unsafe"] == 1
    for names in ({"violence"}, {"hate", "violence"}):
        with pytest.raises(UnknownAnswer):
            FORMATS[name].calls(RESPONSE, frozenset(names))[0].read(Reply(text))


@pytest.mark.parametrize(
    ("name", "text", "tokens", "expected"),
    [
        ("llama_guard", "unsafe\nS10", (token("un", un=1.0), token("safe", safe=1.0)), 1.0),
        ("granite_guardian", "<think>\n</think>\nYes, there is no doubt", (token("no", no=1.0),), 1.0),
        ("granite_guardian", "Yes", (token("is", no=1.0),), 1.0),
    ],
)
def test_probabilities_of_another_token_than_the_answer_do_not_count(
    name: str, text: str, tokens: tuple[Token, ...], expected: float
) -> None:
    scores = FORMATS[name].calls(RESPONSE, frozenset({UNSAFE}))[0].read(Reply(text, tokens))
    assert scores[UNSAFE].value == expected


@pytest.mark.parametrize(
    ("name", "text", "tokens"),
    [
        ("llama_guard", "safe", (token("safe", unsafe=0.9, safe=0.1),)),
        ("llama_guard", "safe", (token("unsafe", unsafe=0.99, safe=0.01),)),
        ("llama_guard", "unsafe\nS10", (token("unsafe", unsafe=0.1, safe=0.9),)),
        ("granite_guardian", "<score>no</score>", (token("yes", yes=0.99),)),
        ("shieldgemma", "No.", (token("No", Yes=0.9, No=0.1),)),
        ("shieldgemma", "Yes", (token("Yes", Yes=0.1, No=0.9),)),
    ],
)
def test_an_answer_that_its_own_probabilities_contradict_is_none(
    name: str, text: str, tokens: tuple[Token, ...]
) -> None:
    with pytest.raises(UnknownAnswer):
        FORMATS[name].calls(RESPONSE, frozenset({UNSAFE}))[0].read(Reply(text, tokens))


def test_a_tie_is_no_contradiction() -> None:
    call = shieldgemma.calls(RESPONSE, frozenset({"hate"}))[0]
    assert call.read(Reply("No", (token("No", Yes=0.4, No=0.4),)))["hate"].value == 0.5


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("llama_guard", "unsafe\nS1"),
        ("llama_guard", "safe"),
        ("qwen3guard", "Safety: Unsafe\nCateg"),
        ("qwen3guard", "Safety: Safe\nCategories:"),
        ("qwen3guard", "Safe"),
        ("granite_guardian", "<think>Let me see"),
        ("granite_guardian", "<think>The text says <score> no </score>, so that"),
        ("granite_guardian", "<score>no</score> is what it"),
    ],
)
def test_an_answer_that_was_cut_is_none(name: str, text: str) -> None:
    with pytest.raises(CutAnswer):
        FORMATS[name].calls(RESPONSE, ALL)[0].read(Reply(text, cut=True))


@pytest.mark.parametrize("name", ["llama_guard", "qwen3guard", "granite_guardian", "shieldgemma"])
@pytest.mark.parametrize("start", ["safe", "Safety: Safe", "No", "<score>no</score>"])
def test_an_answer_longer_than_any_is_not_read(name: str, start: str) -> None:
    with pytest.raises(UnknownAnswer):
        FORMATS[name].calls(RESPONSE, ALL)[0].read(Reply(start + "\n" * MAX_ANSWER))


@pytest.mark.parametrize("name", ["llama_guard", "qwen3guard", "granite_guardian", "shieldgemma"])
@pytest.mark.parametrize(
    "more", ["\n", "<think>", "<score> ", "<score>no</score>", "Categories: ", "*", "S1, ", "</think>"]
)
def test_the_longest_answer_is_read_at_once(name: str, more: str) -> None:
    call = FORMATS[name].calls(RESPONSE, ALL)[0]
    began = time.process_time()
    for start in ("Safety: Unsafe", "Safety: Safe\n", "<think>", "<score>", "No\n", "unsafe\n") * 5:
        text = (start + more * MAX_ANSWER)[: MAX_ANSWER - 1] + "x"
        with contextlib.suppress(UnknownAnswer):
            call.read(Reply(text))
    assert time.process_time() - began < 2  # a reading whose work grows with the square takes 20 s
