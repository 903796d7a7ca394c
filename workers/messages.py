"""What travels between web and workers, as JSON: a batch of jobs one way, their results back on a Redis list."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass

from pydantic import TypeAdapter, ValidationError

from screening.engine import Job
from screening.findings import JobResult, Queue, Text

log = logging.getLogger(__name__)

#: Reply lists disappear by themselves: late results are collected before.
REPLY_SECONDS = 180


@dataclass(frozen=True, slots=True)
class Batch:
    """Jobs for one queue. `ids[i]` names job i in the reply.

    `sent` is in Unix seconds; results go to the Redis list `reply_to`.
    """

    queue: Queue
    ids: tuple[int, ...]
    jobs: tuple[Job, ...]
    reply_to: str
    sent: float


@dataclass(frozen=True, slots=True)
class Reply:
    """Results of jobs of one batch, all or some of them: `results[i]` is that of the job `ids[i]`."""

    queue: Queue
    ids: tuple[int, ...]
    results: tuple[JobResult, ...]


@dataclass(frozen=True, slots=True)
class _WiredJob:
    policy: int
    texts: tuple[Text, ...]
    started: float
    deadline: float
    observe: bool
    context: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _WiredBatch:
    """A batch as it travels: each policy once, however many of its jobs have it."""

    queue: Queue
    ids: tuple[int, ...]
    policies: tuple[str, ...]
    jobs: tuple[_WiredJob, ...]
    reply_to: str
    sent: float


_BATCH: TypeAdapter[_WiredBatch] = TypeAdapter(_WiredBatch)
REPLY: TypeAdapter[Reply] = TypeAdapter(Reply)


def encode_batch(batch: Batch) -> str:
    """Return the JSON of a batch."""
    places = {policy: place for place, policy in enumerate(dict.fromkeys(job.policy for job in batch.jobs))}
    jobs = tuple(
        _WiredJob(places[job.policy], job.texts, job.started, job.deadline, job.observe, job.context)
        for job in batch.jobs
    )
    wired = _WiredBatch(batch.queue, batch.ids, tuple(places), jobs, batch.reply_to, batch.sent)
    return _BATCH.dump_json(wired).decode()


def decode_batch(text: str) -> Batch:
    """Return the batch of `encode_batch`. Raises pydantic.ValidationError."""
    wired = _BATCH.validate_json(text)
    jobs = tuple(
        Job(wired.policies[job.policy], job.texts, job.started, job.deadline, job.observe, job.context)
        for job in wired.jobs
    )
    return Batch(wired.queue, wired.ids, jobs, wired.reply_to, wired.sent)


def read_replies(raw: Sequence[bytes]) -> list[Reply]:
    """Return the replies of a list, without those of another version that cannot be read."""
    replies = []
    for one in raw:
        try:
            replies.append(REPLY.validate_json(one))
        except ValidationError:
            log.error("a reply is not of this version and was left out")
    return replies


def alive_key(queue: str) -> str:
    """Return the Redis key that a living worker of `queue` keeps fresh."""
    return f"countersign:alive:{queue}"


def reply_key(reply_to: str, job: int) -> str:
    """Return the name of a job whose results may still come: what a check remembers."""
    return f"{reply_to}#{job}"


def late_key(key: str) -> str:
    """Return the Redis list to which a web process moves results that came too late for its caller."""
    return f"countersign:late:{key}"
