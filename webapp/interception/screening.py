"""Between stored checks and the workers: one client a process, jobs out, conclusions back."""

from __future__ import annotations

import hashlib
import hmac
import threading
import time
import uuid
from collections.abc import Sequence
from dataclasses import dataclass

from django.conf import settings

from policies.models import PolicyVersion
from screening.engine import Job, nothing_to_read
from screening.findings import JobResult, Queue, RuleResult, Text
from screening.policy import load_policy
from screening.verdict import Conclusion, conclude
from workers.client import ScreenClient, Screening

_lock = threading.Lock()
_client: ScreenClient | None = None


def client() -> ScreenClient:
    """Return this process's client; the first call makes it, after any fork."""
    global _client
    with _lock:
        if _client is None:
            _client = ScreenClient(settings.REDIS_URL)
        return _client


@dataclass(frozen=True, slots=True)
class Screened:
    """A conclusion and what it came from."""

    conclusion: Conclusion
    scores: dict[str, float] | None
    model: str
    #: Where the results of this job arrive when they are late; "" when none are due.
    reply_key: str
    #: The queues of which each rule still waits for its part.
    awaited: dict[str, list[Queue]]
    timings: dict[str, float]


def make_job(
    version: PolicyVersion,
    texts: tuple[Text, ...],
    deadline_ms: int,
    *,
    context: Sequence[str] = (),
    observe: bool = False,
    started: float | None = None,
) -> Job:
    """Return the job of a check; `context` goes along when a rule reads it.

    `started`: when it was asked (Unix seconds), now unless given; its deadline begins there.
    """
    started = time.time() if started is None else started
    reads_context = any(rule.detector_type.reads_context for rule in load_policy(version.canonical).rules)
    return Job(
        policy=version.canonical,
        texts=texts,
        started=started,
        deadline=started + deadline_ms / 1000,
        observe=observe,
        context=tuple(context) if reads_context else (),
    )


def deadline_of(version: PolicyVersion, asked_ms: int | None) -> int:
    """Return the milliseconds a check may take: as asked, else as the policy says, else the installation's default."""
    return asked_ms or load_policy(version.canonical).deadline_ms or settings.DEFAULT_DEADLINE_MS


def conclude_job(job: Job, project_id: uuid.UUID, screening: Screening) -> Screened:
    """Return the conclusion of a job; rules of queues that gave nothing are unscanned, where there was what to read."""
    results = screening.results
    policy = load_policy(job.policy)
    rules = [rule for result in results.values() for rule in result.rules] + nothing_to_read(job)
    done = {(queue, rule.rule) for queue, result in results.items() for rule in result.rules}
    awaited: dict[str, list[Queue]] = {}
    for rule in policy.rules:
        for queue in rule.queues:
            if (queue, rule.id) not in done and job.is_read_by(rule):
                rules.append(RuleResult(rule=rule.id, unscanned=screening.missing.get(queue, "no result")))
                if queue not in results:
                    awaited.setdefault(rule.id, []).append(queue)
    output = next((text.text for text in job.texts if text.is_output), None)
    gpu = results.get("gpu")
    return Screened(
        conclusion=conclude(policy, output, rules, redaction_key(project_id)),
        scores=gpu.scores if gpu else None,
        model=gpu.model if gpu else "",
        reply_key=screening.reply_key,
        awaited=awaited if screening.reply_key else {},
        timings=_timings(job, results),
    )


def redaction_key(project_id: uuid.UUID) -> bytes:
    """Return the key under which a project's redacted values are hashed."""
    return hmac.new(settings.SECRET_KEY.encode(), b"redaction" + project_id.bytes, hashlib.sha256).digest()


def _timings(job: Job, results: dict[Queue, JobResult]) -> dict[str, float]:
    return {
        "total_ms": round((time.time() - job.started) * 1000, 2),
        "queue_ms": round(max((result.queue_ms for result in results.values()), default=0.0), 2),
        "inference_ms": round(max((result.inference_ms for result in results.values()), default=0.0), 2),
    }
