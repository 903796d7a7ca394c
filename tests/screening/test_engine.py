"""The engine: rules run where they belong, one model pass for all, and nothing that fails is passed."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace

import pytest

from screening.categories import MODEL_CATEGORIES
from screening.engine import Engine, Job, wait_until
from screening.findings import DEADLINE, Deadline, Prediction, Queue, Span, Text
from screening.policy import parse_policy
from screening.verdict import conclude

POLICY = parse_policy("""
name: p
rules:
  - {id: moderation, detector: moderation, on: [output, input], categories: {hate: {hold: 0.5}}, deadline_ms: 500}
  - {id: injection, detector: prompt_injection, on: [input], categories: {prompt_injection: {flag: 0.5}}}
  - {id: words, detector: phrases, options: {lists: {names: {terms: [zork]}}}, entities: {names: redact}}
""")


class ScriptedModel:
    """Says "hate" of texts that contain the word; counts its passes."""

    version = "scripted-1"
    categories = MODEL_CATEGORIES

    def __init__(self, failures: int = 0) -> None:
        self.batches: list[list[str]] = []
        self.failures = failures

    def predict(self, texts: Sequence[str], *, deadlines: Sequence[Deadline] = ()) -> list[Prediction]:
        if self.failures:
            self.failures -= 1
            raise RuntimeError(f"quotes {texts[0]}")
        self.batches.append(list(texts))
        return [Prediction({name: float(name in text) for name in MODEL_CATEGORIES}) for text in texts]


def job(output: str = "fine", message: str = "hello", *, seconds: float = 60, observe: bool = False) -> Job:
    now = time.time()
    texts = (Text("output", output), Text("messages.0", message))
    return Job(POLICY.canonical, texts, started=now, deadline=now + seconds, observe=observe)


NAMES = parse_policy("""
name: names
rules:
  - {id: people, detector: pii, entities: {EMAIL_ADDRESS: redact, PERSON: mask}}
  - {id: forms, detector: pii, entities: {"*": redact}}
""")


class NamingModel(ScriptedModel):
    """Finds "Ann" at the beginning."""

    def predict(self, texts: Sequence[str], *, deadlines: Sequence[Deadline] = ()) -> list[Prediction]:
        spans = (Span(0, 3, "PERSON", 0.9), Span(0, 3, "LOCATION", 0.5))
        return [replace(p, spans=spans) for p in super().predict(texts, deadlines=deadlines)]


def names_job(*, observe: bool = False) -> Job:
    now = time.time()
    texts = (Text("output", "Ann, ann@example.org"),)
    return Job(NAMES.canonical, texts, started=now, deadline=now + 60, observe=observe)


def test_a_rule_that_names_people_is_answered_by_patterns_and_by_the_model() -> None:
    assert set(wait_until(names_job())) == {"cpu", "gpu"}
    engine = Engine(NamingModel)
    results = [*engine.run([names_job()], "cpu"), *engine.run([names_job()], "gpu")]
    assert [[rule.rule for rule in result.rules] for result in results] == [["people", "forms"], ["people"]]
    conclusion = conclude(NAMES, "Ann, ann@example.org", [rule for result in results for rule in result.rules], b"")
    assert conclusion.output == "***, [EMAIL_ADDRESS]"
    assert [finding.model for finding in conclusion.findings] == ["presidio", "scripted-1", "presidio"]


def test_a_rule_of_two_parts_is_unscanned_when_the_model_has_no_head_for_spans() -> None:
    engine = Engine(ScriptedModel)
    rules = [rule for queue in ("cpu", "gpu") for rule in engine.run([names_job()], queue)[0].rules]
    conclusion = conclude(NAMES, "Ann, ann@example.org", rules, b"")
    assert conclusion.unscanned == (("people", "LookupError"),)
    assert conclusion.verdict == "hold"


def test_what_the_model_sees_is_observed_beside_the_patterns() -> None:
    engine = Engine(NamingModel)
    (seen,) = engine.run([names_job(observe=True)], "gpu")
    assert [span.label for span in seen.spans or ()] == ["PERSON", "LOCATION"]
    assert engine.run([names_job()], "gpu")[0].spans is None


def test_all_model_rules_of_all_jobs_share_one_pass_over_distinct_texts() -> None:
    model = ScriptedModel()
    results = Engine(lambda: model).run([job("hate this"), job("fine"), job("fine")], "gpu")
    assert model.batches == [["hate this", "hello", "fine"]]
    assert [len(result.rules) for result in results] == [2, 2, 2]
    (finding,) = results[0].rules[0].findings
    assert (finding.category, finding.action, finding.target, finding.model) == ("hate", "hold", "output", "scripted-1")


def test_scores_are_those_of_the_output() -> None:
    (result,) = Engine(ScriptedModel).run([job("hate this", "prompt_injection")], "gpu")
    assert result.scores is not None
    assert (result.scores["hate"], result.scores["prompt_injection"]) == (1.0, 0.0)
    assert result.rules[1].findings[0].target == "messages.0"


def test_a_sexual_text_is_about_minors_only_when_it_speaks_of_one() -> None:
    policy = parse_policy("""
name: minors
rules:
  - {id: minors, detector: moderation, on: [output, input], categories: {sexual/minors: {hold: 0.5}}}
""").canonical
    (result,) = Engine(ScriptedModel).run([replace(job("sexual", "sexual, aged 12"), policy=policy)], "gpu")
    found = [(finding.target, finding.category, finding.score) for finding in result.rules[0].findings]
    assert found == [("messages.0", "sexual/minors", 1.0)]


def test_why_a_model_fails_is_logged_when_it_changes(caplog: pytest.LogCaptureFixture) -> None:
    failures = iter([OSError(), OSError(), RuntimeError(), None, RuntimeError()])

    class Failing(ScriptedModel):
        def predict(self, texts: Sequence[str], *, deadlines: Sequence[Deadline] = ()) -> list[Prediction]:
            if (failure := next(failures)) is not None:
                raise failure
            return super().predict(texts, deadlines=deadlines)

    engine = Engine(Failing)
    for _ in range(5):
        engine.run([job("fine")], "gpu")
    said = [record.getMessage().rpartition(" ")[2] for record in caplog.records]
    assert said == ["OSError", "RuntimeError", "RuntimeError"]


def test_a_model_that_fails_leaves_its_rules_unscanned_and_is_loaded_again() -> None:
    loaded: list[ScriptedModel] = []

    def load() -> ScriptedModel:
        loaded.append(ScriptedModel(failures=0 if loaded else 1))
        return loaded[-1]

    engine = Engine(load)
    (failed,) = engine.run([job()], "gpu")
    assert [rule.unscanned for rule in failed.rules] == ["RuntimeError", "RuntimeError"]
    assert failed.scores is None
    (recovered,) = engine.run([job()], "gpu")
    assert [rule.unscanned for rule in recovered.rules] == ["", ""]
    assert len(loaded) == 2


def test_a_job_past_its_deadline_is_not_given_to_the_model() -> None:
    model = ScriptedModel()
    late, good = Engine(lambda: model).run([job("late", "late too", seconds=-1), job("good")], "gpu")
    assert model.batches == [["good", "hello"]]
    assert {rule.unscanned for rule in late.rules} == {DEADLINE}
    assert {rule.unscanned for rule in good.rules} == {""}


def test_a_text_too_long_for_its_deadline_costs_its_own_check_and_no_other() -> None:
    class SlowModel(ScriptedModel):
        def predict(self, texts: Sequence[str], *, deadlines: Sequence[Deadline] = ()) -> list[Prediction]:
            assert [deadline.at < float("inf") for deadline in deadlines] == [True] * len(texts)
            read = super().predict(texts)
            return [
                Prediction({}, unscanned=DEADLINE) if text == "long" else one
                for text, one in zip(texts, read, strict=True)
            ]

    model = SlowModel()
    engine = Engine(lambda: model)
    long, good = engine.run([job("long"), job("hate this")], "gpu")
    assert [rule.unscanned for rule in long.rules] == [DEADLINE, ""]
    assert long.scores is None
    assert [rule.unscanned for rule in good.rules] == ["", ""]
    assert good.rules[0].findings[0].category == "hate"
    assert engine.model is model, "it did not fail, so that it need not be loaded again"


def test_a_text_is_due_when_the_last_rule_that_reads_it_is() -> None:
    seen: dict[str, float] = {}

    class Watching(ScriptedModel):
        def predict(self, texts: Sequence[str], *, deadlines: Sequence[Deadline] = ()) -> list[Prediction]:
            seen.update(zip(texts, (deadline.at for deadline in deadlines), strict=True))
            return super().predict(texts)

    asked = job("output", "message", seconds=60)
    Engine(Watching).run([asked], "gpu")
    assert seen == {"output": asked.started + 0.5, "message": asked.deadline}


def test_waiting_and_reading_are_told_apart() -> None:
    class Timed(ScriptedModel):
        def predict(self, texts: Sequence[str], *, deadlines: Sequence[Deadline] = ()) -> list[Prediction]:
            times = {"slow": (30.0, 20.0)}
            return [
                replace(one, queue_ms=times.get(text, (1.0, 2.0))[0], inference_ms=times.get(text, (1.0, 2.0))[1])
                for text, one in zip(texts, super().predict(texts), strict=True)
            ]

    slow, quick = Engine(Timed).run([job("slow"), job("quick")], "gpu")
    assert (slow.queue_ms, slow.inference_ms) == (30.0, 20.0)
    assert (quick.queue_ms, quick.inference_ms) == (1.0, 2.0)


def test_a_pattern_rule_past_its_deadline_is_unscanned() -> None:
    (result,) = Engine(ScriptedModel).run([job("zork", seconds=-1)], "cpu")
    assert [(rule.rule, rule.unscanned) for rule in result.rules] == [("words", DEADLINE)]


def test_a_policy_of_a_newer_version_costs_its_own_check_and_no_other() -> None:
    newer = replace(job("hate"), policy=POLICY.canonical.replace('"moderation"', '"telepathy"'))
    of_queues: dict[Queue, list[str]] = {"cpu": ["words"], "gpu": ["moderation", "injection"], "llm": []}
    for queue, rules in of_queues.items():
        unknown, known = Engine(ScriptedModel).run([newer, job("hate")], queue)
        assert unknown.rules == ()
        assert [rule.rule for rule in known.rules] == rules
        assert not any(rule.unscanned for rule in known.rules)


def test_one_rule_that_breaks_leaves_the_others_alone() -> None:
    policy = parse_policy("""
name: p
rules:
  - {id: broken, detector: guardrails_ai, options: {validator: "no.such:Class"}, entities: {"*": hold}}
  - {id: words, detector: phrases, options: {lists: {names: {terms: [zork]}}}, entities: {names: redact}}
""")
    now = time.time()
    asked = Job(policy.canonical, (Text("output", "a zork"),), now, now + 60)
    (result,) = Engine(ScriptedModel).run([asked], "cpu")
    broken, words = result.rules
    assert broken.unscanned
    assert (words.unscanned, words.findings[0].start, words.findings[0].end) == ("", 2, 6)


def test_observing_gives_every_pii_span_whatever_the_policy_says() -> None:
    (result,) = Engine(ScriptedModel).run([job("mail ann@example.com", observe=True)], "cpu")
    assert result.spans is not None
    assert [(span.start, span.end, span.label) for span in result.spans if span.label == "EMAIL_ADDRESS"] == [
        (5, 20, "EMAIL_ADDRESS")
    ]


def test_the_wait_for_a_queue_ends_with_its_last_rule() -> None:
    asked = job(seconds=2)
    due = wait_until(asked)
    assert due["gpu"] == asked.deadline  # the injection rule has no deadline of its own
    only_moderation = parse_policy(
        "name: p\nrules: [{id: m, detector: moderation, categories: {hate: {hold: 0.5}}, deadline_ms: 500}]"
    )
    short = Job(only_moderation.canonical, asked.texts, asked.started, asked.deadline)
    assert wait_until(short) == {"gpu": asked.started + 0.5}
