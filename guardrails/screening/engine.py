"""Run the rules of policies over texts: what every worker, and `manage.py screen --direct`, calls."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import compress

from screening.detectors.base import Detector, GuardModel, ModelDetector
from screening.detectors.registry import DETECTORS
from screening.detectors.served import Models, NoModels
from screening.findings import (
    DEADLINE,
    Deadline,
    DeadlineExceeded,
    Finding,
    JobResult,
    Prediction,
    Queue,
    RuleResult,
    Span,
    Text,
)
from screening.policy import PolicyError, Rule, load_policy
from screening.ruling import findings_of, reason_of, result_of
from screening.served_rules import ServedRules, is_served

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Job:
    """The texts of one check and the policy to screen them with.

    `policy` is canonical JSON; `started` and `deadline` are Unix seconds. `observe` asks for the
    model's scores and all PII spans of the output, whatever the policy says. `context`: the grounding documents, when a
    rule reads them.
    """

    policy: str
    texts: tuple[Text, ...]
    started: float
    deadline: float
    observe: bool = False
    context: tuple[str, ...] = ()

    def is_read_by(self, rule: Rule) -> bool:
        """Return whether there is a text that the rule looks at."""
        return any(rule.scans(text.target) for text in self.texts)

    def deadline_of(self, rule: Rule) -> Deadline:
        own = self.started + rule.deadline_ms / 1000 if rule.deadline_ms else self.deadline
        return Deadline(min(own, self.deadline))


def _has_policy(job: Job) -> bool:
    try:
        load_policy(job.policy)
    except PolicyError:
        log.error("a policy is not one that this version knows; its check is unscanned here")
        return False
    return True


def nothing_to_read(job: Job) -> list[RuleResult]:
    """Return the results of rules that look at none of the job's texts: they found nothing, whatever workers do."""
    return [RuleResult(rule.id) for rule in load_policy(job.policy).rules if not job.is_read_by(rule)]


def wait_until(job: Job) -> dict[Queue, float]:
    """Return the queues that a job needs, each with the time (Unix seconds) when the last of its rules is due."""
    due: dict[Queue, float] = {"cpu": job.deadline, "gpu": job.deadline} if job.observe else {}
    for rule in filter(job.is_read_by, load_policy(job.policy).rules):
        for queue in rule.queues:
            due[queue] = max(due.get(queue, 0.0), job.deadline_of(rule).at)
    return due


class Engine:
    """Screens jobs; one per worker process, for all its threads. Keeps the detectors of recently used policies.

    `model` is called at the first need and after every failure, so that a worker recovers without a restart once the
    model's files are there. `models`: those of the models file; without it the rules that ask them are unscanned.
    """

    def __init__(self, model: Callable[[], GuardModel], models: Models | None = None) -> None:
        self._load_model = model
        self._models = models or NoModels()
        self._model: GuardModel | None = None
        self._loading = threading.Lock()
        self._last_failure = ""
        self._detectors = lru_cache(maxsize=64)(_build)

    @property
    def model(self) -> GuardModel:
        """Return the guard model, loading it if need be; raises what its loader raises."""
        with self._loading:
            if self._model is None:
                self._model = self._load_model()
            return self._model

    @property
    def loaded_model(self) -> GuardModel | None:
        """Return the guard model if it is loaded."""
        return self._model

    def run(self, jobs: Sequence[Job], queue: Queue) -> list[JobResult]:
        """Return the results of the rules of `queue`, one a job, in order. Never raises for what a text does.

        A job whose policy this process cannot read, as while newer web processes already run, has no results.
        """
        known = [_has_policy(job) for job in jobs]
        results = iter(self._run(list(compress(jobs, known)), queue))
        return [next(results) if one else JobResult(rules=()) for one in known]

    def _run(self, jobs: Sequence[Job], queue: Queue) -> list[JobResult]:
        start = time.perf_counter()
        served = ServedRules(jobs, queue, self._detector, self._models)
        own = self._run_own(jobs, queue)
        asked = served.results()
        if not any(asked):
            return own
        return [
            replace(result, rules=result.rules + rules, inference_ms=_ms_since(start))
            for result, rules in zip(own, asked, strict=True)
        ]

    def _run_own(self, jobs: Sequence[Job], queue: Queue) -> list[JobResult]:
        if queue == "cpu":
            return [self._run_patterns(job) for job in jobs]
        return self._run_model(jobs) if queue == "gpu" else [JobResult(rules=()) for _ in jobs]

    def _run_patterns(self, job: Job) -> JobResult:
        start = time.perf_counter()
        policy = load_policy(job.policy)
        results = tuple(self._scan(job, rule) for rule in policy.rules if rule.queue == "cpu")
        spans = self._observed_spans(job) if job.observe else None
        return JobResult(rules=results, spans=spans, inference_ms=_ms_since(start))

    def _scan(self, job: Job, rule: Rule) -> RuleResult:
        deadline = job.deadline_of(rule)
        findings: list[Finding] = []
        try:
            detector = self._detector(rule)
            for text in job.texts:
                if rule.scans(text.target):
                    deadline.check()
                    hits = detector.detect(text.text, deadline)
                    findings += findings_of(rule, text.target, hits, detector.version)
        except DeadlineExceeded:
            return RuleResult(rule=rule.id, unscanned=DEADLINE)
        except Exception as error:  # noqa: BLE001 - whatever a detector does, the rule is unscanned and the others run
            return self._failed(rule, error)
        return result_of(job.texts, rule, findings)

    def _observed_spans(self, job: Job) -> tuple[Span, ...] | None:
        try:
            detector = self._detector(Rule(id="observe", detector="pii"))
            return tuple(
                Span(start=hit.start, end=hit.end, label=hit.category, score=hit.score)
                for text in job.texts
                if text.is_output
                for hit in detector.detect(text.text, Deadline(job.deadline))
                if hit.start is not None and hit.end is not None
            )
        except Exception as error:  # noqa: BLE001 - as in _scan: nothing seen is None, not "no spans"
            log.error("spans were not observed: %s", reason_of(error))
            return None

    def _run_model(self, jobs: Sequence[Job]) -> list[JobResult]:
        """Give every text that a model-based rule looks at one place in one pass, then let the rules read it."""
        start = time.perf_counter()
        wanted = _wanted(jobs)
        model, predictions, failure = None, {}, ""
        if wanted:
            try:
                model = self.model
                answers = model.predict(list(wanted), deadlines=[Deadline(at) for at in wanted.values()])
                predictions = dict(zip(wanted, answers, strict=True))
            except Exception as error:  # noqa: BLE001 - a model that is missing or fails leaves its rules unscanned
                self._drop(model)
                failure = reason_of(error)
                # Once: a model that is missing fails several times a second, and would bury why.
                if failure != self._last_failure:
                    log.error("the guard model failed: %s", failure)
            self._last_failure = failure
        spent = _ms_since(start)
        version = model.version if model else ""
        return [self._read(job, predictions, failure, version, spent) for job in jobs]

    def _drop(self, model: GuardModel | None) -> None:
        with self._loading:
            # Another thread may have loaded a new one since.
            if self._model is model:
                self._model = None

    def _read(
        self, job: Job, predictions: dict[str, Prediction], failure: str, version: str, spent: float
    ) -> JobResult:
        rules = _model_rules(job)
        results = tuple(self._read_rule(job, rule, predictions, failure, version) for rule in rules)
        output = next((text.text for text in job.texts if text.is_output), None)
        seen = predictions.get(output) if output is not None else None
        known = [predictions[text.text] for text in job.texts if text.text in predictions]
        return JobResult(
            rules=results,
            spans=seen.spans if seen and job.observe else None,
            scores=seen.scores if seen and not seen.unscanned else None,
            model=version,
            queue_ms=max((one.queue_ms for one in known), default=0.0),
            inference_ms=max((one.inference_ms for one in known), default=0.0) or spent,
        )

    def _read_rule(
        self, job: Job, rule: Rule, predictions: dict[str, Prediction], failure: str, version: str
    ) -> RuleResult:
        texts = [text for text in job.texts if rule.scans(text.target)]
        unscanned = next((reason for text in texts if (reason := _unread(predictions.get(text.text), failure))), "")
        if unscanned:
            return RuleResult(rule=rule.id, unscanned=unscanned)
        try:
            part = rule.model_part
            detector = part(rule.parsed_options()) if part else self._detector(rule)  # type: ignore[call-arg]  # own type
            assert isinstance(detector, ModelDetector)  # noqa: S101 - the registry's queue says so
            findings = [
                finding
                for text in texts
                for finding in findings_of(rule, text.target, detector.read(text.text, predictions[text.text]), version)
                if detector.confirms(finding.category, text.text)
            ]
        except Exception as error:  # noqa: BLE001 - as in _scan
            return self._failed(rule, error)
        return result_of(job.texts, rule, findings)

    def _detector(self, rule: Rule) -> Detector:
        return self._detectors(rule.detector, rule.options_json)

    def _failed(self, rule: Rule, error: Exception) -> RuleResult:
        reason = reason_of(error)
        log.error("rule %s (%s) failed: %s", rule.id, rule.detector, reason)
        return RuleResult(rule=rule.id, unscanned=reason)


def _build(name: str, options_json: str) -> Detector:
    rule = Rule.model_validate_json(f'{{"id": "build", "detector": "{name}", {options_json[1:]}')
    return DETECTORS[name](rule.parsed_options())  # type: ignore[call-arg]  # each takes its own options type


def _model_rules(job: Job) -> list[Rule]:
    """Return the rules that read the pass of the guard model."""
    return [rule for rule in load_policy(job.policy).rules if "gpu" in rule.queues and not is_served(rule)]


def _wanted(jobs: Sequence[Job]) -> dict[str, float]:
    """Return the distinct texts that model-based rules still look at, each with the time when the last one is due."""
    wanted: dict[str, float] = {}
    for job in jobs:
        rules = _model_rules(job)
        for text in job.texts:
            due = [job.deadline_of(rule).at for rule in rules if rule.scans(text.target)]
            if job.observe and text.is_output:
                due.append(job.deadline)
            if due and max(due) > time.time():
                wanted[text.text] = max(*due, wanted.get(text.text, 0.0))
    return wanted


def _unread(prediction: Prediction | None, failure: str) -> str:
    return failure or (DEADLINE if prediction is None else prediction.unscanned)


def _ms_since(start: float) -> float:
    return (time.perf_counter() - start) * 1000
