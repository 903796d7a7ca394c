"""Grounding by a judge: what a guard LLM is asked, how much it is given, and which models may judge."""

from __future__ import annotations

from pathlib import Path

import pytest

from screening.detectors.grounding import (
    MAX_JUDGED,
    Grounding,
    GroundingOptions,
)
from screening.detectors.served import Ask
from screening.findings import Deadline, Text
from screening.models_file import SETTING
from screening.policy import PolicyError, parse_policy
from tests.screening.detectors.test_grounding import CONTEXT, RULE, Words, flagged, run
from tests.workers.small_models import models_file


@pytest.fixture
def judge(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    entry = {"url": "http://127.0.0.1:1/v1", "model": "acme/chat"}
    models = {"judge": {**entry, "format": "chat"}, "guard": {**entry, "format": "llama_guard"}}
    monkeypatch.setenv(SETTING, str(models_file(tmp_path / "models.yaml", guard_llms=models)))


@pytest.mark.usefixtures("judge")
def test_a_judge_is_asked_about_every_sentence() -> None:
    models = Words("No")
    output = "The shop opens at 9. Refunds take ten days. Anything else?"
    result = run(output, models, options="options: {judge: judge},")
    assert flagged(result, output) == ["The shop opens at 9.", "Refunds take ten days."]
    assert {finding.model for finding in result.rules[0].findings} == {"judge@acme/chat"}
    assert len(models.bodies) == 2
    assert all(document in str(body) for body in models.bodies for document in CONTEXT)
    assert flagged(run(output, Words("Yes"), options="options: {judge: judge},"), output) == []


@pytest.mark.usefixtures("judge")
def test_a_judge_that_answers_otherwise_leaves_the_rule_unscanned() -> None:
    (rule,) = run("The shop opens at 9.", Words("Perhaps"), options="options: {judge: judge},").rules
    assert rule.unscanned == "UnknownAnswer"
    (rule,) = run("The shop opens. " * (MAX_JUDGED + 1), Words("Yes"), options="options: {judge: judge},").rules
    assert rule.unscanned == "too many sentences"


@pytest.mark.usefixtures("judge")
def test_a_judge_gets_no_more_context_than_it_can_read() -> None:
    models = Words("Yes")
    context = [" ".join(f"Item number {n} is red or blue." for n in range(2_000)), CONTEXT[0]]
    run("The shop in Graz opens at 9.", models, options="options: {judge: judge},", context=context)
    (body,) = models.bodies
    assert "The shop in Graz opens at 9 and closes at 18." in str(body)
    assert len(str(body)) < 20_000


@pytest.mark.usefixtures("judge")
def test_a_judge_gets_no_more_context_than_it_can_read_of_a_sentence_said_again_and_again() -> None:
    models = Words("Yes")
    run("The shop in Graz opens at 9.", models, options="options: {judge: judge},", context=["It opens at 9. " * 5_000])
    (body,) = models.bodies
    assert len(str(body)) < 20_000


@pytest.mark.usefixtures("judge")
def test_documents_are_read_once_for_all_that_a_judge_is_asked() -> None:
    texts = (Text("output", "\n".join(f"The fact number {n} is entirely correct today." for n in range(MAX_JUDGED))),)
    context = ("\n".join(f"The item w{n} x{n} is here." for n in range(9_500)),)
    ask = Ask(texts, texts, context, frozenset("*"), Deadline.after_ms(1_000))
    (answer,) = Grounding(GroundingOptions(judge="judge")).ask([ask], Words("Yes"))
    assert len(answer().hits["output"]) == MAX_JUDGED


@pytest.mark.usefixtures("judge")
@pytest.mark.parametrize(
    ("options", "message"),
    [("{judge: jugde}", "no 'jugde' in `guard_llms`"), ("{judge: guard}", "llama_guard judges no grounding")],
)
def test_a_judge_that_can_not_judge_is_refused(options: str, message: str) -> None:
    with pytest.raises(PolicyError) as refused:
        parse_policy(f"name: p\nrules:\n  - {RULE.replace('OPTIONS', f'options: {options},')}\n")
    (issue,) = refused.value.issues
    assert issue.path == "rules[0].options.judge"
    assert message in issue.message
