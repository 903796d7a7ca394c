"""Run the rules that ask a model of the models file: all are asked first, then their answers are awaited."""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from screening.detectors.served import Answer, Ask, Models, ServedDetector, Unread
from screening.findings import DEADLINE, Deadline, DeadlineExceeded, Queue, RuleResult
from screening.policy import Rule, load_policy
from screening.ruling import findings_of, reason_of, result_of

if TYPE_CHECKING:
    from screening.detectors.base import Detector
    from screening.engine import Job

log = logging.getLogger(__name__)

#: Of the time that is left, what the answers of the other rules need to reach the web process.
WAY_BACK = 0.1
MAX_WAY_BACK_SECONDS = 0.05


def is_served(rule: Rule) -> bool:
    """Return whether a rule asks a model of the models file."""
    return issubclass(rule.detector_type, ServedDetector)


class ServedRules:
    """The served rules of some jobs on one queue. Making it asks; `results` waits."""

    def __init__(self, jobs: Sequence[Job], queue: Queue, detector: Callable[[Rule], Detector], models: Models) -> None:
        self._jobs = jobs
        self._rules = [
            [rule for rule in load_policy(job.policy).rules if rule.queue == queue and is_served(rule)] for job in jobs
        ]
        self._answers: dict[tuple[int, str], Answer] = {}
        # Rules with the same options share a detector, and so what it asks at once.
        groups: dict[ServedDetector, list[tuple[int, Rule]]] = defaultdict(list)
        for index, rules in enumerate(self._rules):
            for rule in rules:
                try:
                    built = detector(rule)
                    assert isinstance(built, ServedDetector)  # noqa: S101 - is_served says so
                    groups[built].append((index, rule))
                except Exception as error:  # noqa: BLE001 - whatever a detector does, the others run
                    self._answers[index, rule.id] = _raising(error)
        for built, group in groups.items():
            self._ask(built, group, models)

    def results(self) -> list[tuple[RuleResult, ...]]:
        """Wait for every answer, at most until its rule is due, and return the results of each job. Never raises."""
        return [
            tuple(self._result(index, job, rule) for rule in rules)
            for index, (job, rules) in enumerate(zip(self._jobs, self._rules, strict=True))
        ]

    def _ask(self, detector: ServedDetector, group: Sequence[tuple[int, Rule]], models: Models) -> None:
        keys = [(index, rule.id) for index, rule in group]
        try:
            answers = detector.ask([_ask_of(self._jobs[index], rule) for index, rule in group], models)
            self._answers.update(zip(keys, answers, strict=True))
        except Exception as error:  # noqa: BLE001 - as above
            self._answers.update(dict.fromkeys(keys, _raising(error)))

    def _result(self, index: int, job: Job, rule: Rule) -> RuleResult:
        try:
            judged = self._answers[index, rule.id]()
        except (TimeoutError, DeadlineExceeded):
            return RuleResult(rule=rule.id, unscanned=DEADLINE)
        except Unread as error:
            return RuleResult(rule=rule.id, unscanned=str(error))
        except Exception as error:  # noqa: BLE001 - as above
            log.error("rule %s (%s) failed: %s", rule.id, rule.detector, reason_of(error))
            return RuleResult(rule=rule.id, unscanned=reason_of(error))
        findings = [
            finding
            for target, hits in judged.hits.items()
            for finding in findings_of(rule, target, hits, judged.version)
        ]
        return result_of(job.texts, rule, findings)


def _ask_of(job: Job, rule: Rule) -> Ask:
    due = job.deadline_of(rule)
    # The other results of the job come back with these: late for one model would be late for all rules.
    early = min(due.at, job.deadline - min(MAX_WAY_BACK_SECONDS, WAY_BACK * (job.deadline - job.started)))
    return Ask(
        texts=tuple(text for text in job.texts if rule.scans(text.target)),
        check=job.texts,
        context=job.context,
        names=frozenset(rule.categories) | frozenset(rule.entities),
        deadline=Deadline(early),
    )


def _raising(error: Exception) -> Answer:
    def answer() -> None:
        raise error

    return answer  # type: ignore[return-value]  # it never returns
