"""The way from a web process to the workers that screen, and back, within a deadline.

What waits for a queue goes out as one message (workers/lines.py), sent by whichever thread finds a slot free. Replies
come over one Redis list a process, read by one thread, not over Celery's result backend, whose consumer stays broken
after a Redis outage until its process restarts.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import redis

from screening.engine import Job
from screening.findings import JobResult, Queue
from workers.alive import SAY_SECONDS
from workers.broker import QUEUES
from workers.calls import Call, Calls, Overloaded, Screening
from workers.lines import Flight
from workers.messages import REPLY, REPLY_SECONDS, Batch, Reply, alive_key, late_key, read_replies, reply_key
from workers.posting import post

__all__ = ["Call", "Overloaded", "ScreenClient", "Screening"]

log = logging.getLogger(__name__)

#: Messages waiting in one queue beyond which new checks are refused.
MAX_WAITING = 256
#: How long what Redis said of its queues is taken to be so. Slots bound the messages that are sent in the meantime.
STATE_SECONDS = 0.05
#: How often it is asked whether workers took all messages of a queue.
TAKEN_SECONDS = 0.01
#: How long a Redis that says nothing, or can not be reached, is waited for, and then left alone: a caller's deadline is
#: a few seconds, and those after it are not to wait for the same silence.
PATIENCE_SECONDS = 1.0
AWAY_SECONDS = 2.0
#: The options of every connection to Redis that requests wait for.
PATIENCE: dict[str, Any] = {"socket_timeout": PATIENCE_SECONDS, "socket_connect_timeout": PATIENCE_SECONDS}
#: The longest wait for a reply before the lines are looked at again.
READ_SECONDS = 0.1
#: How long a queue is still used after the word of its workers went missing. It goes missing in good health too, when
#: Redis starts again or the clock leaps, as it does when a machine wakes from sleep: all that expires has expired then.
MISSING_SECONDS = 2 * SAY_SECONDS
NO_BROKER = "broker unreachable"
NO_WORKER = "no worker"
_QUEUES: tuple[Queue, ...] = ("cpu", "gpu", "llm")


@dataclass(frozen=True, slots=True)
class _State:
    """What Redis said at `at` (monotonic seconds): why a queue is not to be used, and how many messages wait in it.

    `missing`: since when (monotonic seconds) no worker of a queue says that it lives.
    """

    at: float = 0.0
    missing: dict[Queue, float] = field(default_factory=lambda: dict.fromkeys(_QUEUES, float("-inf")))
    closed: dict[Queue, str] = field(default_factory=dict)
    lengths: dict[Queue, int] = field(default_factory=dict)


class ScreenClient:
    """One per process; safe for threads; must be made after any fork."""

    def __init__(self, redis_url: str) -> None:
        self._redis = redis.Redis.from_url(redis_url, health_check_interval=10, **PATIENCE)
        self._calls = Calls()
        self._state = _State()
        self._away_until = 0.0
        self._asked = dict.fromkeys(_QUEUES, 0.0)
        self._reader = threading.Thread(target=self._read, daemon=True, name="replies")
        self._reader.start()

    def screen(self, jobs: Sequence[Job]) -> list[Screening]:
        """Have `jobs` screened as `screen_each` does. Raises Overloaded when one is refused."""
        screenings: list[Screening] = []
        for outcome in self.screen_each(jobs):
            if isinstance(outcome, Overloaded):
                raise outcome
            screenings.append(outcome)
        return screenings

    def screen_each(self, jobs: Sequence[Job]) -> list[Screening | Overloaded]:
        """Have `jobs` screened, wait for the results until the last of their rules is due, and return those of each.

        Each is refused that can not be expected to be read in time. A broker that does not answer is no error: its
        queues are `missing`.
        """
        finished = threading.Event()
        try:
            call = self.start(jobs, lambda _: finished.set())
        except Overloaded as refused:
            return [refused] * len(jobs)
        finished.wait(max(0.0, call.due - time.time()))
        return [Overloaded() if index in call.refused else one for index, one in enumerate(self.finish(call))]

    def start(self, jobs: Sequence[Job], done: Callable[[Call], None]) -> Call:
        """Send `jobs` on their way, as `start_each` does. Raises Overloaded when all are refused."""
        (call,) = self.start_each([(jobs, done)])
        if isinstance(call, Overloaded):
            raise call
        return call

    def finish(self, call: Call) -> list[Screening]:
        """Return what came of one call, as `finish_each` does."""
        (screenings,) = self.finish_each([call])
        return screenings

    def start_each(self, wanted: Sequence[tuple[Sequence[Job], Callable[[Call], None]]]) -> list[Call | Overloaded]:
        """Send several calls on their way and return at once what became of each; one message holds what it can.

        `finish_each` is to be called with a call after its `done`, or at its `due`. `done` may be called by any thread,
        also before this returns.
        """
        state = self._look()
        full = {queue for queue, length in state.lengths.items() if length >= MAX_WAITING}
        calls: list[Call | Overloaded] = []
        for jobs, done in wanted:
            try:
                calls.append(self._calls.open(jobs, state.closed, full, done))
            except Overloaded as refused:
                calls.append(refused)
        self._pump()
        return calls

    def finish_each(self, calls: Sequence[Call]) -> list[list[Screening]]:
        """Return what came of each call in time, in the order of its jobs; what did not is given up."""
        screenings = [self._calls.close(call) for call in calls]
        self._pump()
        return screenings

    def late_results(self, keys: Sequence[str]) -> dict[str, dict[Queue, JobResult]]:
        """Return what each queue sent for each reply key after the deadline, without the keys that nothing came for.

        Raises redis.RedisError.
        """
        # What a process has not read, because it is gone, lies in its own list.
        unread = sorted({key.partition("#")[0] for key in keys})
        pipe = self._redis.pipeline(transaction=False)
        for name in (*unread, *map(late_key, keys)):
            pipe.lrange(name, 0, -1)
        found = pipe.execute()
        results: dict[str, dict[Queue, JobResult]] = {key: {} for key in keys}
        for name, raw in zip([*unread, *(key.partition("#")[0] for key in keys)], found, strict=True):
            for reply in read_replies(raw):
                for job_id, result in zip(reply.ids, reply.results, strict=True):
                    own = results.get(reply_key(name, job_id), {})
                    # A message may be there twice, and its rules past their time when it is read again.
                    if reply.queue not in own or any(rule.unscanned for rule in own[reply.queue].rules):
                        own[reply.queue] = result
        return {key: several for key, several in results.items() if several}

    def waiting(self, queue: str) -> int:
        """Return how many messages of a queue no worker has taken. Raises redis.RedisError."""
        return int(self._redis.llen(queue))

    def redis_answers(self) -> bool:
        """Return whether Redis answered just now. One that is left alone is not asked, and does not."""
        return NO_BROKER not in self._look().closed.values()

    def left_alone(self) -> bool:
        """Return whether Redis said nothing a moment ago, so that nobody is to wait for it now."""
        return time.monotonic() < self._away_until

    def leave_alone(self) -> None:
        """Have nobody of this process wait for Redis for a while: it just let somebody wait in vain."""
        self._away_until = time.monotonic() + AWAY_SECONDS

    def close(self) -> None:
        """Give up the connections; for the end of a process."""
        self._calls.end()
        self._reader.join()
        self._redis.close()

    def _look(self) -> _State:
        """Return what Redis says of all queues, before anything is sent to any of them."""
        state = self._state
        if time.monotonic() - state.at < STATE_SECONDS:
            return state
        away = _State(closed=dict.fromkeys(_QUEUES, NO_BROKER))
        if self.left_alone():
            return away
        pipe = self._redis.pipeline(transaction=False)
        for queue in _QUEUES:
            pipe.exists(alive_key(QUEUES[queue]))
            pipe.llen(QUEUES[queue])
        try:
            said = pipe.execute()
        except redis.TimeoutError:
            self.leave_alone()
            return away
        except redis.RedisError:
            # Said at once and not remembered: the next caller tries again.
            return away
        now = time.monotonic()
        missing = {queue: state.missing.get(queue, now) for queue, up in zip(_QUEUES, said[::2], strict=True) if not up}
        closed = {queue: NO_WORKER for queue, since in missing.items() if now - since >= MISSING_SECONDS}
        self._state = _State(now, missing, closed, dict(zip(_QUEUES, said[1::2], strict=True)))
        return self._state

    def _pump(self) -> None:
        """Send what waits for the queues, as far as there are slots.

        With all slots of a queue taken for long one more message goes out when no other waits in Redis: there are more
        workers than slots, or one died with its message.
        """
        flights = [(queue, flight) for queue in _QUEUES for flight in self._next_flights(queue)]
        if flights:
            self._send(flights)

    def _next_flights(self, queue: Queue) -> Iterator[Flight]:
        while flight := self._calls.take(queue):
            yield flight
        if self._calls.stuck(queue) and self._all_taken(queue) and (flight := self._calls.take(queue, beyond=True)):
            yield flight

    def _all_taken(self, queue: Queue) -> bool:
        """Return whether workers took all messages of a queue; asked no more often than is useful."""
        now = time.monotonic()
        if now - self._asked[queue] < TAKEN_SECONDS:
            return False
        self._asked[queue] = now
        try:
            return self.waiting(QUEUES[queue]) == 0
        except redis.RedisError:
            return False

    def _send(self, flights: Sequence[tuple[Queue, Flight]]) -> None:
        batches = [
            Batch(
                queue=queue,
                ids=tuple(ticket.job_id for ticket in flight.tickets),
                jobs=tuple(ticket.job for ticket in flight.tickets),
                reply_to=self._calls.reply_to,
                sent=time.time(),
            )
            for queue, flight in flights
        ]
        try:
            post(self._redis, batches)
        except redis.RedisError as error:
            if isinstance(error, redis.TimeoutError):
                self.leave_alone()
            for _, flight in flights:
                self._calls.fail(flight, NO_BROKER)

    def _read(self) -> None:
        """Hand out replies for as long as the process lives; asleep while none are awaited."""
        while self._calls.wait():
            try:
                self._read_one()
                self._pump()
            except Exception as error:  # noqa: BLE001 - without this thread no check of the process is answered again
                log.error("reading replies: %s", type(error).__name__)

    def _read_one(self) -> None:
        try:
            got = self._redis.blpop([self._calls.reply_to], timeout=READ_SECONDS)
        except redis.RedisError:
            # Redis went away and forgot the list with it: what was sent is lost, nobody will answer.
            self._calls.fail(None, NO_BROKER)
            return
        if got is None:
            return
        reply = REPLY.validate_json(got[1])
        if late := self._calls.answer(reply):
            self._keep(reply.queue, late)

    def _keep(self, queue: Queue, late: Sequence[tuple[int, JobResult]]) -> None:
        """Put results whose callers are gone where `late_results` finds them."""
        pipe = self._redis.pipeline(transaction=False)
        for job_id, result in late:
            name = late_key(reply_key(self._calls.reply_to, job_id))
            pipe.rpush(name, REPLY.dump_json(Reply(queue, (job_id,), (result,))))
            pipe.expire(name, REPLY_SECONDS)
        try:
            pipe.execute()
        except redis.RedisError:
            log.warning("Redis does not answer; %d late results are lost", len(late))
