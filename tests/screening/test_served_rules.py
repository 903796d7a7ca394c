"""Rules that ask a model of the models file: asked together, awaited until they are due, unscanned when it fails."""

from __future__ import annotations

import time
from collections.abc import Sequence
from concurrent.futures import Future
from pathlib import Path

import pytest

from screening.detectors.served import NOT_JUDGED, Classified, ModelMissing, NoModels
from screening.engine import Engine, Job
from screening.findings import Deadline, Prediction, Span, Text
from screening.models_file import SETTING
from screening.policy import load_policy, parse_policy
from tests.screening.test_engine import ScriptedModel

FILE = """
classifiers:
  toxic: {path: /srv/toxic, task: sequence, labels: {toxic: harassment}}
  names: {path: /srv/names, task: token, labels: {PER: PERSON}}
"""
POLICY = """
name: p
rules:
  - {id: hate, detector: moderation, categories: {hate: {hold: 0.5}}}
  - {id: toxic, detector: classifier, on: [output, input], options: {model: toxic}, categories: {"*": {flag: 0.5}}}
  - {id: names, detector: classifier, options: {model: names}, entities: {PERSON: redact}}
  - {id: words, detector: phrases, options: {lists: {names: {terms: [zork]}}}, entities: {names: redact}}
"""


class Scripted(NoModels):
    """Finds "rude" texts and "Ana"; counts what it is asked, and can be held up or made to fail."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, list[str]]] = []
        self.stuck: set[str] = set()
        self.failing: set[str] = set()

    def classify(self, name: str, texts: Sequence[str], deadlines: Sequence[Deadline]) -> Future[Classified]:
        self.asked.append((name, list(texts)))
        future: Future[Classified] = Future()
        if name in self.failing:
            raise RuntimeError(f"quotes {texts[0]}")
        if name not in self.stuck:
            future.set_result(Classified(tuple(self.prediction(name, text) for text in texts), f"{name}@1"))
        return future

    def prediction(self, name: str, text: str) -> Prediction:
        if text == "unread":
            return Prediction({}, unscanned="deadline")
        if name == "toxic":
            return Prediction({"harassment": float("rude" in text)})
        place = text.find("Ana")
        return Prediction({}, (Span(place, place + 3, "PERSON", 0.9),) if place >= 0 else ())


@pytest.fixture
def policy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    (tmp_path / "models.yaml").write_text(FILE)
    monkeypatch.setenv(SETTING, str(tmp_path / "models.yaml"))
    return parse_policy(POLICY).canonical


def job(policy: str, output: str, message: str = "hello", *, seconds: float = 60) -> Job:
    now = time.time()
    texts = (Text("output", output), Text("messages.0", message))
    return Job(policy, texts, started=now, deadline=now + seconds)


def test_a_model_is_asked_once_for_all_jobs_and_its_findings_carry_its_version(policy: str) -> None:
    models = Scripted()
    jobs = [job(policy, "hate, rude Ana"), job(policy, "fine"), job(policy, "fine", "rude")]
    results = Engine(ScriptedModel, models).run(jobs, "gpu")
    assert models.asked == [
        ("toxic", ["hate, rude Ana", "hello", "fine", "rude"]),
        ("names", ["hate, rude Ana", "fine"]),
    ]
    assert [rule.rule for rule in results[0].rules] == ["hate", "toxic", "names"]
    found = [
        (finding.rule, finding.category, finding.target, finding.start, finding.end, finding.model)
        for finding in (finding for result in results for rule in result.rules for finding in rule.findings)
    ]
    assert found == [
        ("hate", "hate", "output", None, None, "scripted-1"),
        ("toxic", "harassment", "output", None, None, "toxic@1"),
        ("names", "PERSON", "output", 11, 14, "names@1"),
        ("toxic", "harassment", "messages.0", None, None, "toxic@1"),
    ]


def test_other_queues_do_not_ask(policy: str) -> None:
    models = Scripted()
    (result,) = Engine(ScriptedModel, models).run([job(policy, "zork")], "cpu")
    assert [rule.rule for rule in result.rules] == ["words"]
    assert models.asked == []


@pytest.mark.parametrize("trouble", ["failing", "stuck"])
def test_a_model_in_trouble_leaves_its_rule_unscanned_and_the_others_run(policy: str, trouble: str) -> None:
    models = Scripted()
    getattr(models, trouble).add("toxic")
    (result,) = Engine(ScriptedModel, models).run([job(policy, "hate Ana", seconds=0.3)], "gpu")
    reasons = {rule.rule: rule.unscanned for rule in result.rules}
    assert reasons == {"hate": "", "toxic": {"failing": "RuntimeError", "stuck": "deadline"}[trouble], "names": ""}
    assert [finding.rule for rule in result.rules for finding in rule.findings] == ["hate", "names"]


def test_the_answer_is_there_before_the_check_is_due(policy: str) -> None:
    models = Scripted()
    models.stuck.add("names")
    asked = job(policy, "fine", seconds=0.5)
    Engine(ScriptedModel, models).run([asked], "gpu")
    assert time.time() < asked.deadline


def test_a_text_that_was_not_read_is_unscanned(policy: str) -> None:
    good, unread = Engine(ScriptedModel, Scripted()).run([job(policy, "fine"), job(policy, "unread")], "gpu")
    assert {rule.unscanned for rule in good.rules} == {""}
    assert [rule.unscanned for rule in unread.rules] == ["", "deadline", "deadline"]


def test_a_stored_policy_outlives_its_model(policy: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(SETTING)
    assert load_policy(policy).rules[1].options == {"model": "toxic"}
    (result,) = Engine(ScriptedModel).run([job(policy, "hate")], "gpu")
    assert [rule.unscanned for rule in result.rules] == ["", "ModelMissing", "ModelMissing"]


def test_a_rule_whose_model_lost_a_label_is_unscanned(
    policy: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "later.yaml"
    path.write_text(FILE.replace("{PER: PERSON}", "{LOC: LOCATION}"))
    monkeypatch.setenv(SETTING, str(path))
    models = Scripted()
    (result,) = Engine(ScriptedModel, models).run([job(policy, "rude Ana")], "gpu")
    assert [rule.unscanned for rule in result.rules] == ["", "", NOT_JUDGED]
    assert [name for name, _ in models.asked] == ["toxic"], "and no time of a model is spent on it"
    assert [finding.rule for rule in result.rules for finding in rule.findings] == ["toxic"]


def test_served_detectors_do_not_scan(policy: str) -> None:
    rule = load_policy(policy).rules[1]
    detector = rule.detector_type(rule.parsed_options())  # type: ignore[call-arg]
    with pytest.raises(TypeError, match="ask"):
        detector.detect("text", Deadline())
    with pytest.raises(ModelMissing):
        NoModels().chat("guard", {}, Deadline())
