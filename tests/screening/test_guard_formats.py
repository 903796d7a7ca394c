"""What the answers of each family of guard LLMs mean; tests/screening/test_guard_answers.py has those that are none."""

from __future__ import annotations

import math
from typing import Any

import pytest

from screening.categories import MODEL_CATEGORIES, SEXUAL_MINORS
from screening.detectors.served import Reply, Token
from screening.guard_formats import granite_guardian, llama_guard, qwen3guard, shieldgemma
from screening.guard_formats.base import UNSAFE, Call, Turns, UnknownAnswer
from screening.guard_formats.registry import FORMATS, GROUNDING

PROMPT: Turns = [{"role": "user", "content": "How?"}]
RESPONSE: Turns = [*PROMPT, {"role": "assistant", "content": "So."}]
ALL = frozenset({"*"})


def token(text: str, **shares: float) -> Token:
    return Token(text, {f" {word}": math.log(share) for word, share in shares.items()})


def found(call: Call, reply: Reply) -> dict[str, float]:
    return {name: round(score.value, 4) for name, score in call.read(reply).items() if score.value}


@pytest.mark.parametrize("name", FORMATS)
def test_every_format_gives_known_categories(name: str) -> None:
    assert set(FORMATS[name].CATEGORIES) <= {*MODEL_CATEGORIES, SEXUAL_MINORS, UNSAFE}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("safe", {}),
        ("\n\nsafe", {}),
        ("Safe.", {}),
        ("**safe**", {}),
        ("unsafe\nS10", {"unsafe": 1, "hate": 1}),
        ("\n\nunsafe\nS1,S11", {"unsafe": 1, "illicit/violent": 1, "violence": 1, "self-harm": 1}),
        ("unsafe\n S4 , s12", {"unsafe": 1, SEXUAL_MINORS: 1, "sexual": 1}),
        ("unsafe S2", {"unsafe": 1, "illicit": 1}),
        ("**Unsafe**\n[S10].", {"unsafe": 1, "hate": 1}),
        ("unsafe\nS6", {"unsafe": 1}),
        ("unsafe\nS99", {"unsafe": 1}),
        ("unsafe", {"unsafe": 1}),
    ],
)
def test_llama_guard(text: str, expected: dict[str, float]) -> None:
    (call,) = llama_guard.calls(RESPONSE, ALL)
    assert found(call, Reply(text)) == expected
    assert set(call.read(Reply(text))) == set(llama_guard.CATEGORIES)


def test_llama_guard_scores_by_the_probability_of_unsafe() -> None:
    tokens = (token("\n\n", x=1.0), token("unsafe", unsafe=0.6, safe=0.2), token("\n", x=1.0))
    assert found(llama_guard.calls(PROMPT, ALL)[0], Reply("unsafe\nS5", tokens)) == {"unsafe": 0.75, "harassment": 0.75}
    doubtful = Reply("safe", (token("safe", unsafe=0.1, safe=0.9),))
    assert found(llama_guard.calls(PROMPT, ALL)[0], doubtful) == {"unsafe": 0.1}


def test_the_codes_of_llama_guard_are_the_detail() -> None:
    scores = llama_guard.read(Reply("unsafe\nS6,S10,S99"), names=ALL)
    assert (scores[UNSAFE].detail, scores["hate"].detail) == ("S6, S10", "S10")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Safety: Safe\nCategories: None", {}),
        ("Safety: Safe\nCategories: None\nRefusal: Yes", {}),
        ("Safety: Unsafe\nCategories: Violent", {"unsafe": 1, "illicit/violent": 1, "violence": 1}),
        ("Safety: Unsafe\nCategories: Non-violent Illegal Acts", {"unsafe": 1, "illicit": 1}),
        ("Safety: Controversial\nCategories: Politically Sensitive Topics\nRefusal: No", {"unsafe": 0.5}),
        (
            "safety: unsafe\ncategories: Suicide & Self-Harm, Jailbreak",
            {"unsafe": 1, "self-harm": 1, "prompt_injection": 1},
        ),
        ("**Safety:** Unsafe\n**Categories:** Unethical Acts", {"unsafe": 1, "harassment": 1, "hate": 1}),
        ("Safety: Safe.\n\nCategories: None.", {}),
        ("Safety: Unsafe\nCategories: Unethical Acts\nCategories: PII", {"unsafe": 1, "harassment": 1, "hate": 1}),
        ("Safety: Unsafe\nCategories: Something New", {"unsafe": 1}),
    ],
)
def test_qwen3guard(text: str, expected: dict[str, float]) -> None:
    (call,) = qwen3guard.calls(RESPONSE, ALL)
    assert found(call, Reply(text)) == expected


@pytest.mark.parametrize(
    ("text", "tokens", "expected"),
    [
        ("Yes", (), 1),
        ("No", (), 0),
        ("<score> yes </score>", (), 1),
        ("<score>no</score>", (), 0),
        ("<think>yes, one may say no</think>\n<score>yes</score>", (), 1),
        ("Yes\n<confidence> High </confidence>", (), 1),
        ("No <confidence> High </confidence>", (), 0),
        ("**No.**", (), 0),
        ("No. The text is about tea.", (), 0),
        ("<think>it wrote <score>no</score></think>\nYes", (), 1),
        ("<think>it wrote <score>yes</score></think>\n<score>no</score>", (), 0),
        ("No", (token("No", Yes=0.2, No=0.6),), 0.25),
        ("<score> yes </score>", (token("<score>", x=1), token(" yes", yes=0.9, no=0.1)), 0.9),
        ("<think>no</think><score>yes</score>", (token("no", no=1.0), token("yes", yes=0.9, no=0.1)), 0.9),
    ],
)
def test_granite_guardian(text: str, tokens: tuple[Token, ...], expected: float) -> None:
    (call,) = granite_guardian.calls(RESPONSE, frozenset({"profanity"}))
    assert call.read(Reply(text, tokens))["profanity"].value == pytest.approx(expected)


def test_granite_guardian_asks_one_risk_a_call_and_only_what_is_wanted() -> None:
    asked = granite_guardian.calls(PROMPT, frozenset({"unsafe", "prompt_injection"}))
    configs = [call.body["chat_template_kwargs"]["guardian_config"] for call in asked]
    assert configs == [{"risk_name": risk, "criteria_id": risk} for risk in ("harm", "jailbreak")]
    assert len(granite_guardian.calls(PROMPT, ALL)) == 7
    assert len(granite_guardian.calls(RESPONSE, ALL)) == 6  # a response is no jailbreak


@pytest.mark.parametrize(
    ("text", "tokens", "expected"),
    [
        ("Yes", (), 1),
        ("No\n\nThe question", (), 0),
        ("Yes", (token("Yes", Yes=0.8, No=0.1, Maybe=0.1),), 8 / 9),
        ("No", (token("No", Yes=0.02, No=0.98),), 0.02),
    ],
)
def test_shieldgemma(text: str, tokens: tuple[Token, ...], expected: float) -> None:
    (call,) = shieldgemma.calls(RESPONSE, frozenset({"hate"}))
    scores = call.read(Reply(text, tokens, cut=True))  # one token is all that is wanted
    assert {name: score.value for name, score in scores.items()} == pytest.approx(
        {"unsafe": expected, "hate": expected}
    )
    assert scores["hate"].detail == "No Hate Speech"


def test_shieldgemma_has_one_policy_a_call_in_the_words_for_its_side() -> None:
    prompt, response = (shieldgemma.calls(turns, ALL) for turns in (PROMPT, RESPONSE))
    assert len(prompt) == len(response) == 4
    assert "The prompt shall not" in prompt[0].body["chat_template_kwargs"]["guideline"]
    assert "The chatbot shall not" in response[0].body["chat_template_kwargs"]["guideline"]


@pytest.mark.parametrize(("name", "text"), [("chat", "Yes. No."), ("chat", "Yes, but it says no"), ("chat", "Yes? no")])
def test_a_judge_of_grounding_that_contradicts_itself_supports_nothing(name: str, text: str) -> None:
    with pytest.raises(UnknownAnswer):
        GROUNDING[name]("It opens at nine.", ["We open at 9."]).read(Reply(text))


@pytest.mark.parametrize(("name", "text", "expected"), [
    ("chat", "Yes", 0.0), ("chat", "No.", 1.0), ("chat", "No, there is no yes in it", 1.0),
    ("chat", "Yes. Both say so", 0.0), ("granite_guardian", "<score>yes</score>", 1.0),
])  # fmt: skip
def test_judges_of_grounding_say_how_unsupported_a_sentence_is(name: str, text: str, expected: float) -> None:
    call = GROUNDING[name]("It opens at nine.", ["We open at 9.", "Closed on Sundays."])
    body: dict[str, Any] = dict(call.body)
    assert "Closed on Sundays." in str(body["messages"])
    assert call.read(Reply(text))[UNSAFE].value == expected
