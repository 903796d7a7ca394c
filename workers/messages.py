"""What travels between web and workers, as JSON: a batch of jobs one way, their results back on a Redis list."""

from __future__ import annotations

from dataclasses import dataclass

from pydantic import TypeAdapter

from screening.engine import Job
from screening.findings import JobResult, Queue

#: Reply lists disappear by themselves: late results are collected before.
REPLY_SECONDS = 180


@dataclass(frozen=True, slots=True)
class Batch:
    """Jobs for one queue. `sent` is in Unix seconds; results go to the Redis list `reply_to`."""

    queue: Queue
    jobs: tuple[Job, ...]
    reply_to: str
    sent: float


@dataclass(frozen=True, slots=True)
class Reply:
    """Results in the order of the batch's jobs."""

    queue: Queue
    results: tuple[JobResult, ...]


BATCH: TypeAdapter[Batch] = TypeAdapter(Batch)
REPLY: TypeAdapter[Reply] = TypeAdapter(Reply)


def alive_key(queue: str) -> str:
    """Return the Redis key that a living worker of `queue` keeps fresh."""
    return f"countersign:alive:{queue}"
