"""The way from a web process to the workers that screen, and back, within a deadline.

Replies come over one Redis list a call (BLPOP), not over Celery's result backend, whose consumer stays broken after a
Redis outage until its process restarts.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field

import redis
from celery import Celery
from kombu.exceptions import OperationalError

from screening.engine import Job, wait_until
from screening.findings import DEADLINE, JobResult, Queue
from workers.broker import QUEUES, SOCKET_TIMEOUT, celery_settings
from workers.messages import BATCH, REPLY, Batch, Reply, alive_key

#: Messages waiting in one queue beyond which new checks are refused.
MAX_WAITING = 256
NO_BROKER = "broker unreachable"
NO_WORKER = "no worker"


class Overloaded(Exception):
    """The queues are full: nothing was accepted; try again in `retry_after` seconds."""

    retry_after = 1


@dataclass(slots=True)
class Screening:
    """What came back in time.

    `results[i]`: of job i, by queue. `missing`: why a queue gave nothing. `reply_to`: the list where late results
    arrive, "" when none are due.
    """

    results: list[dict[Queue, JobResult]]
    missing: dict[Queue, str] = field(default_factory=dict)
    reply_to: str = ""


class ScreenClient:
    """One per process; safe for threads; must be made after any fork."""

    def __init__(self, redis_url: str) -> None:
        self._celery = Celery("countersign-client", set_as_current=False, fixups=set())
        self._celery.conf.update(celery_settings(redis_url))
        self._redis = redis.Redis.from_url(
            redis_url, socket_timeout=SOCKET_TIMEOUT, socket_connect_timeout=1.0, health_check_interval=10
        )

    def screen(self, jobs: Sequence[Job]) -> Screening:
        """Send `jobs`, at most one message a queue, and wait for the results until the last job's deadline.

        Raises Overloaded when a queue is full. A broker that does not answer is no error: its queues are `missing`.
        """
        due = _due(jobs)
        screening = Screening(results=[{} for _ in jobs])
        reply_to = f"countersign:reply:{uuid.uuid4().hex}"
        served = self._served(list(due), screening)
        waiting = {queue for queue in served if self._send(queue, jobs, reply_to, screening)}
        while waiting:
            seconds = max(due[queue] for queue in waiting) - time.time()
            reply = self._next_reply(reply_to, seconds, screening, waiting)
            if reply is None:
                break
            waiting.discard(reply.queue)
            for result, found in zip(screening.results, reply.results, strict=True):
                result[reply.queue] = found
        for queue in waiting:
            screening.missing.setdefault(queue, DEADLINE)
            screening.reply_to = reply_to
        return screening

    def late_replies(self, lists: Sequence[str]) -> dict[str, list[Reply]]:
        """Return what has arrived on each list since the deadline, without the lists that are empty."""
        pipe = self._redis.pipeline(transaction=False)
        for reply_to in lists:
            pipe.lrange(reply_to, 0, -1)
        found = zip(lists, pipe.execute(), strict=True)
        return {reply_to: [REPLY.validate_json(raw) for raw in replies] for reply_to, replies in found if replies}

    def waiting(self, queue: str) -> int:
        """Return how many messages of a queue no worker has taken. Raises redis.RedisError."""
        return int(self._redis.llen(queue))

    def close(self) -> None:
        """Give up the connections; for the end of a process."""
        self._redis.close()
        self._celery.close()

    def _served(self, queues: Sequence[Queue], screening: Screening) -> list[Queue]:
        """Return the queues that have a worker and note why not the others. Looks before anything is sent."""
        pipe = self._redis.pipeline(transaction=False)
        for queue in queues:
            pipe.exists(alive_key(QUEUES[queue]))
            pipe.llen(QUEUES[queue])
        try:
            states = pipe.execute()
        except redis.RedisError:
            screening.missing.update(dict.fromkeys(queues, NO_BROKER))
            return []
        alive, lengths = states[::2], states[1::2]
        if any(up and length >= MAX_WAITING for up, length in zip(alive, lengths, strict=True)):
            raise Overloaded
        screening.missing.update({queue: NO_WORKER for queue, up in zip(queues, alive, strict=True) if not up})
        return [queue for queue, up in zip(queues, alive, strict=True) if up]

    def _send(self, queue: Queue, jobs: Sequence[Job], reply_to: str, screening: Screening) -> bool:
        batch = Batch(queue=queue, jobs=tuple(jobs), reply_to=reply_to, sent=time.time())
        try:
            self._celery.send_task(
                "screen.batch",
                args=[BATCH.dump_json(batch).decode()],
                queue=QUEUES[queue],
                retry=True,
                retry_policy={"max_retries": 1, "interval_start": 0, "interval_step": 0},
            )
        except (redis.RedisError, OperationalError, OSError):
            screening.missing[queue] = NO_BROKER
            return False
        return True

    def _next_reply(self, reply_to: str, seconds: float, screening: Screening, waiting: set[Queue]) -> Reply | None:
        while seconds > 0:
            started = time.monotonic()
            try:
                # Shorter than the socket's own time limit, which would otherwise end the wait first.
                got = self._redis.blpop([reply_to], timeout=max(0.01, min(seconds, SOCKET_TIMEOUT - 1)))
            except redis.RedisError:
                # Redis went away and forgot the list with it: what was sent is lost, nobody will answer.
                screening.missing.update(dict.fromkeys(waiting, NO_BROKER))
                return None
            if got is not None:
                return REPLY.validate_json(got[1])
            seconds -= time.monotonic() - started
        return None


def _due(jobs: Sequence[Job]) -> dict[Queue, float]:
    due: dict[Queue, float] = {}
    for job in jobs:
        for queue, at in wait_until(job).items():
            due[queue] = max(due.get(queue, 0.0), at)
    return due
