"""Guard LLMs over real sockets: what is sent, what is found, and every way in which an endpoint can fail."""

from __future__ import annotations

import contextlib
import logging
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from screening.engine import Engine, Job
from screening.findings import JobResult, Text
from screening.models_file import SETTING
from screening.policy import parse_policy
from tests.faults.workers import running_worker
from tests.workers.llm_server import LlmServer, completion, running_llm
from tests.workers.small_models import models_file
from webapp.local.home import free_port
from webapp.local.process_table import screening
from workers.broker import needed_queues
from workers.client import ScreenClient
from workers.endpoints import MAX_ANSWER
from workers.runtimes.fake import FakeGuard
from workers.served import ServedModels

SECRET = "sk-not-to-be-seen"
RULE = "{id: guard, detector: guard_llm, on: [output, input], options: {model: guard}, categories: {CATEGORIES}}"
TEXTS = (Text("output", "Out it goes."), Text("messages.0", "Is it nice?"))


@pytest.fixture
def llm() -> Iterator[LlmServer]:
    with running_llm() as server:
        yield server


class Installation:
    """A models file with one guard LLM, and the engine of a worker that serves it."""

    def __init__(self, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self._path = path
        monkeypatch.setenv(SETTING, str(path))
        monkeypatch.setenv("GUARD_KEY", SECRET)
        self.models = ServedModels()
        self.engine = Engine(FakeGuard, self.models)

    def configure(self, url: str, format: str, **fields: Any) -> None:
        entry = {"url": url, "model": "acme/guard", "format": format, **fields}
        models_file(self._path, guard_llms={"guard": entry})

    def job(self, categories: str = '{"*": {flag: 0.5}}', *, seconds: float = 20, texts: Any = TEXTS) -> Job:
        policy = parse_policy(f"name: p\nrules:\n  - {RULE.replace('{CATEGORIES}', categories)}\n")
        now = time.time()
        return Job(policy.canonical, texts, started=now, deadline=now + seconds)

    def run(self, categories: str = '{"*": {flag: 0.5}}', *, seconds: float = 20, texts: Any = TEXTS) -> JobResult:
        (result,) = self.engine.run([self.job(categories, seconds=seconds, texts=texts)], "llm")
        return result


@pytest.fixture
def here(llm: LlmServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Installation]:
    installation = Installation(tmp_path / "models.yaml", monkeypatch)
    yield installation
    llm.go.set()
    installation.models.close()


def found(result: JobResult) -> list[tuple[str, str, float, str]]:
    (rule,) = result.rules
    assert rule.unscanned == ""
    return [(each.target, each.category, round(each.score, 3), each.detail) for each in rule.findings]


def reason(result: JobResult) -> str:
    (rule,) = result.rules
    assert rule.findings == ()
    return rule.unscanned


def test_llama_guard_judges_prompt_and_response(llm: LlmServer, here: Installation) -> None:
    here.configure(llm.url, "llama_guard")
    llm.answer = lambda body: completion("\n\nunsafe\nS10" if len(body["messages"]) == 2 else "\n\nsafe")
    result = here.run()
    assert found(result) == [("output", "unsafe", 1.0, "S10"), ("output", "hate", 1.0, "S10")]
    assert result.rules[0].findings[0].model == "guard@acme/guard"
    sent = sorted((body["messages"] for body in llm.bodies), key=len)
    assert sent == [
        [{"role": "user", "content": "Is it nice?"}],
        [{"role": "user", "content": "Is it nice?"}, {"role": "assistant", "content": "Out it goes."}],
    ]
    assert {(body["model"], body["temperature"], body["stream"], body["logprobs"]) for body in llm.bodies} == {
        ("acme/guard", 0, False, True)
    }
    assert set(llm.paths) == {"/v1/chat/completions"}


def test_an_output_to_which_nothing_was_asked_is_judged_as_a_prompt(llm: LlmServer, here: Installation) -> None:
    here.configure(llm.url, "llama_guard")
    here.run(texts=TEXTS[:1])
    assert [body["messages"] for body in llm.bodies] == [[{"role": "user", "content": "Out it goes."}]]


def test_qwen3guard_finds_what_is_controversial(llm: LlmServer, here: Installation) -> None:
    here.configure(llm.url, "qwen3guard")
    llm.answer = lambda body: completion(
        "Safety: Controversial\nCategories: Sexual Content or Sexual Acts\nRefusal: No"
    )
    assert found(here.run("{sexual: {flag: 0.4, hold: 0.9}}"))[0] == (
        "output", "sexual", 0.5, "sexual content or sexual acts",
    )  # fmt: skip


def test_granite_guardian_is_asked_for_each_risk_that_the_rule_names(llm: LlmServer, here: Installation) -> None:
    here.configure(llm.url, "granite_guardian")
    tokens = [("<score>", {"<score>": 1.0}), (" yes", {" yes": 0.8, " no": 0.2})]
    llm.answer = lambda body: completion("<score> yes </score>", tokens=tokens)
    result = here.run("{violence: {hold: 0.5}, hate: {hold: 0.9}}")
    assert found(result) == [("output", "violence", 0.8, "violence"), ("messages.0", "violence", 0.8, "violence")]
    configs = [body["chat_template_kwargs"]["guardian_config"]["risk_name"] for body in llm.bodies]
    assert sorted(configs) == ["social_bias", "social_bias", "violence", "violence"]


def test_what_the_format_does_not_judge_is_unscanned(llm: LlmServer, here: Installation) -> None:
    here.configure(llm.url, "granite_guardian")
    assert reason(here.run("{prompt_injection: {flag: 0.5}}")) == "not judged"  # of an output
    asked = here.job("{hate: {flag: 0.5}, violence: {flag: 0.5}}")
    here.configure(llm.url, "shieldgemma")  # knows no violence
    (result,) = here.engine.run([asked], "llm")
    assert reason(result) == "not judged"
    assert llm.bodies == []


def test_shieldgemma_scores_by_the_probability_of_yes(llm: LlmServer, here: Installation) -> None:
    here.configure(llm.url, "shieldgemma")

    def answer(body: dict[str, Any]) -> dict[str, Any]:
        hate = "No Hate Speech" in body["chat_template_kwargs"]["guideline"]
        shares = {"Yes": 0.6, "No": 0.2} if hate else {"Yes": 0.01, "No": 0.99}
        return completion("Yes" if hate else "No", finish="length", tokens=[("Yes" if hate else "No", shares)])

    llm.answer = answer
    judged = [("output", name, 0.75, "No Hate Speech") for name in ("unsafe", "hate")]
    assert found(here.run(texts=TEXTS[:1])) == judged
    assert len(llm.bodies) == 4


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (completion(""), "EmptyAnswer"),
        (completion(None), "EmptyAnswer"),
        (completion("As a language model"), "UnknownAnswer"),
        (completion("unsafe\nS1", finish="length"), "CutAnswer"),
        (b"<html>not JSON</html>", "AnswerMalformed"),
        (b'{"choices": []}', "AnswerMalformed"),
        (b'{"choices": [{"message": "safe"}]}', "AnswerMalformed"),
        (b'{"error": {"message": "out of memory"}}', "AnswerMalformed"),
        (b"", "AnswerMalformed"),
        (b"\xff\xfe", "AnswerMalformed"),
        (b" " * (MAX_ANSWER + 1), "AnswerTooLarge"),
        (500, "EndpointFailed"),
        (503, "EndpointFailed"),
        (401, "EndpointRefused"),
        (429, "EndpointRefused"),
        (307, "EndpointRefused"),
    ],
)
def test_a_bad_answer_leaves_the_rule_unscanned_with_the_reason(
    llm: LlmServer, here: Installation, answer: bytes | dict[str, Any] | int, expected: str
) -> None:
    here.configure(llm.url, "llama_guard")
    llm.answer = lambda body: answer
    assert reason(here.run()) == expected
    assert set(llm.paths) == {"/v1/chat/completions"}  # a redirect is not followed


def test_nobody_listening_leaves_the_rule_unscanned(here: Installation) -> None:
    here.configure(f"http://127.0.0.1:{free_port()}/v1", "llama_guard")
    assert reason(here.run()) == "EndpointUnreachable"


def test_a_slow_answer_leaves_the_rule_unscanned_in_time_for_the_check(llm: LlmServer, here: Installation) -> None:
    here.configure(llm.url, "llama_guard")
    llm.go.clear()
    asked = here.job(seconds=0.5)
    (result,) = here.engine.run([asked], "llm")
    assert time.time() < asked.deadline
    assert reason(result) == "deadline"


def test_the_time_limit_of_the_endpoint_holds_when_it_is_shorter(llm: LlmServer, here: Installation) -> None:
    here.configure(llm.url, "llama_guard", timeout_ms=200)
    llm.go.clear()
    asked = here.job(seconds=60)
    assert reason(here.engine.run([asked], "llm")[0]) == "deadline"
    assert time.time() < asked.deadline - 30


def test_no_more_calls_are_under_way_than_configured(llm: LlmServer, here: Installation) -> None:
    here.configure(llm.url, "granite_guardian", concurrency=3)
    llm.answer = lambda body: completion("No")
    jobs = [here.job(texts=(Text("output", f"text {number}"),)) for number in range(6)]
    results = here.engine.run(jobs, "llm")
    assert [found(result) for result in results] == [[]] * 6
    assert len(llm.bodies) == 6 * 7
    assert 1 <= llm.most <= 3


def test_the_key_is_sent_and_never_logged(llm: LlmServer, here: Installation, caplog: pytest.LogCaptureFixture) -> None:
    here.configure(llm.url, "llama_guard", api_key_env="GUARD_KEY")
    llm.answer = lambda body: 401
    with caplog.at_level(logging.DEBUG):
        assert reason(here.run()) == "EndpointRefused"
    assert llm.headers[0]["Authorization"] == f"Bearer {SECRET}"
    assert SECRET not in caplog.text
    assert "Out it goes." not in caplog.text


def test_a_key_that_is_not_set_is_a_reason(llm: LlmServer, here: Installation, monkeypatch: pytest.MonkeyPatch) -> None:
    here.configure(llm.url, "llama_guard", api_key_env="GUARD_KEY")
    monkeypatch.delenv("GUARD_KEY")
    assert reason(here.run()) == "KeyMissing"
    assert llm.bodies == []


def test_proxies_of_the_environment_are_not_used(
    llm: LlmServer, here: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", f"http://127.0.0.1:{free_port()}")
    monkeypatch.setenv("ALL_PROXY", f"http://127.0.0.1:{free_port()}")
    here.configure(llm.url, "llama_guard")
    assert found(here.run()) == []


def test_a_worker_for_them_runs_only_where_there_are_some(here: Installation, tmp_path: Path) -> None:
    here.configure("http://127.0.0.1:1/v1", "llama_guard")
    env = {SETTING: str(tmp_path / "models.yaml")}
    assert "screen-llm" in [process.name for process in screening(env)]
    assert "screen.llm" in needed_queues(env)
    assert "screen-llm" not in [process.name for process in screening({})]
    assert needed_queues({}) == ["screen.cpu", "screen.gpu"]


def test_a_worker_of_its_own_asks_and_loads_no_torch(llm: LlmServer, here: Installation, redis_url: str) -> None:
    here.configure(llm.url, "llama_guard")
    llm.answer = lambda body: completion("unsafe\nS2")
    url = redis_url.removesuffix("/0") + "/6"
    env = {"PYTHONPROFILEIMPORTTIME": "1"}
    with running_worker(url, "llm", **env) as worker, contextlib.closing(ScreenClient(url)) as client:
        screenings = client.screen([here.job(), here.job()])
        log = (worker.supervisor.logs / f"{worker.name}.log").read_text()
    for answered in screenings:
        assert answered.missing == {}
        assert ("output", "illicit", 1.0, "S2") in found(answered.results["llm"])
    assert "| celery" in log
    assert "torch" not in log
