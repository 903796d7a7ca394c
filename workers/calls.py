"""Who waits for which job: calls, their tickets in the lines, and what came of them. Knows no Redis."""

from __future__ import annotations

import itertools
import threading
import time
import uuid
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace

from screening.engine import Job, wait_until
from screening.findings import DEADLINE, JobResult, Queue
from workers.lines import LLM_SLOTS, Flight, Line, Ticket
from workers.messages import Reply, reply_key


class Overloaded(Exception):
    """More waits than is read in time: it was not accepted; try again in `retry_after` seconds."""

    retry_after = 1


@dataclass(slots=True)
class Screening:
    """What came of one job in time.

    `results`: by queue. `missing`: why a queue gave nothing. `reply_key`: where late results arrive, "" when none are
    due.
    """

    results: dict[Queue, JobResult] = field(default_factory=dict)
    missing: dict[Queue, str] = field(default_factory=dict)
    reply_key: str = ""


class Call:
    """Jobs that are screened together; `done` is called once, with it, by any thread, when nothing more is awaited.

    `due` (Unix seconds): when the last of their rules is. `left`: the tickets without an answer, with the job's index.
    `refused`: the indexes of jobs that stand nowhere, because there was no room for them.
    """

    def __init__(self, count: int, done: Callable[[Call], None]) -> None:
        self.screenings = [Screening() for _ in range(count)]
        self.due = 0.0
        self.refused: set[int] = set()
        self.left: dict[Ticket, int] = {}
        self.done = done


class Calls:
    """The calls of one process; safe for threads."""

    def __init__(self) -> None:
        self.reply_to = f"countersign:reply:{uuid.uuid4().hex}"
        self._ids = itertools.count(1)
        self._lock = threading.Lock()
        self._changed = threading.Condition(self._lock)
        self._lines: dict[Queue, Line] = {"cpu": Line(), "gpu": Line(), "llm": Line(LLM_SLOTS)}
        self._tickets: dict[tuple[int, Queue], tuple[Ticket, Call]] = {}
        self._closed = False

    def open(
        self, jobs: Sequence[Job], closed: Mapping[Queue, str], full: Collection[Queue], done: Callable[[Call], None]
    ) -> Call:
        """Let `jobs` stand in the lines of their queues; those in `closed` are missing, for the reason given.

        A job is refused when one of its queues is in `full` or has a line too long for it. Raises Overloaded when all
        are.
        """
        wanted = [wait_until(job) for job in jobs]
        call, unix, now = Call(len(jobs), done), time.time(), time.monotonic()
        with self._lock:
            # Each by its own deadline, before the first of them stands in the way of the others.
            for index, due in enumerate(wanted):
                times = {queue: at - unix for queue, at in due.items() if queue not in closed}
                if any(queue in full or not self._lines[queue].has_room(left) for queue, left in times.items()):
                    call.refused.add(index)
            if jobs and len(call.refused) == len(jobs):
                raise Overloaded
            for index, (job, due) in enumerate(zip(jobs, wanted, strict=True)):
                if index in call.refused:
                    continue
                job_id = next(self._ids)
                for queue, at in due.items():
                    if queue in closed:
                        call.screenings[index].missing[queue] = closed[queue]
                    else:
                        self._queue_up(call, Ticket(job_id, queue, job, now), index, at)
            if call.left:
                self._changed.notify()
                return call
        done(call)
        return call

    def close(self, call: Call) -> list[Screening]:
        """Return what came of a call, in the order of its jobs; what did not come is given up."""
        with self._lock:
            for ticket in list(call.left):
                self._give_up(ticket, DEADLINE)
        return call.screenings

    def take(self, queue: Queue, *, beyond: bool = False) -> Flight | None:
        """Return the next message to send, None when there is none or no slot is free."""
        with self._lock:
            return self._lines[queue].take(time.monotonic(), beyond=beyond)

    def stuck(self, queue: Queue) -> bool:
        """Return whether jobs have waited long for a slot."""
        with self._lock:
            return self._lines[queue].stuck(time.monotonic())

    def answer(self, reply: Reply) -> list[tuple[int, JobResult]]:
        """Hand results to the calls that wait for them, and return those that nobody waits for, with their job's id."""
        finished: list[Call] = []
        late: list[tuple[int, JobResult]] = []
        with self._lock:
            for job_id, result in zip(reply.ids, reply.results, strict=True):
                entry = self._tickets.get((job_id, reply.queue))
                if entry is None:
                    late.append((job_id, result))
                    continue
                ticket, call = entry
                screening = self._leave(ticket, read=True)
                screening.results[reply.queue] = replace(result, queue_ms=result.queue_ms + ticket.waited_ms)
                if not call.left:
                    finished.append(call)
        for call in finished:
            call.done(call)
        return late

    def fail(self, flight: Flight | None, reason: str) -> None:
        """Give up the jobs of a message, or of all messages that were sent, because of `reason`."""
        finished: list[Call] = []
        with self._lock:
            sent = (ticket for ticket, _ in self._tickets.values() if ticket.flight is not None)
            for ticket in list(flight.tickets if flight else sent):
                if not ticket.done:
                    call = self._give_up(ticket, reason)
                    if not call.left:
                        finished.append(call)
        for call in finished:
            call.done(call)

    def wait(self) -> bool:
        """Return once somebody waits for an answer; False when the process ends."""
        with self._lock:
            self._changed.wait_for(lambda: self._tickets or self._closed)
            return not self._closed

    def end(self) -> None:
        """Let `wait` return."""
        with self._lock:
            self._closed = True
            self._changed.notify_all()

    def _queue_up(self, call: Call, ticket: Ticket, index: int, due: float) -> None:
        self._tickets[ticket.job_id, ticket.queue] = ticket, call
        self._lines[ticket.queue].join(ticket)
        call.left[ticket] = index
        call.due = max(call.due, due)

    def _leave(self, ticket: Ticket, *, read: bool) -> Screening:
        """Forget a ticket, and return what its job has so far."""
        _, call = self._tickets.pop((ticket.job_id, ticket.queue))
        self._lines[ticket.queue].leave(ticket, time.monotonic(), read=read)
        return call.screenings[call.left.pop(ticket)]

    def _give_up(self, ticket: Ticket, reason: str) -> Call:
        _, call = self._tickets[ticket.job_id, ticket.queue]
        screening = self._leave(ticket, read=False)
        screening.missing[ticket.queue] = reason
        if ticket.flight is not None:
            screening.reply_key = reply_key(self.reply_to, ticket.job_id)
        return call
