"""Jobs that wait to be sent, and messages that are on their way: one line a queue.

Whatever waits when a slot frees goes out as one message, so that messages grow with the load and nobody waits for
others to come. A message holds no more than a worker did lately in TARGET_SECONDS: it is answered as a whole, and a
longer one would make the first of its jobs wait for the last.

Times are monotonic seconds: the clock may leap.
"""

from __future__ import annotations

import math
from collections import deque
from dataclasses import dataclass, field

from screening.engine import Job
from screening.findings import Queue

#: Messages of one queue on their way at a time: one that a worker is at, and the next.
SLOTS = 2
#: Of the queue of guard LLMs, whose workers answer many messages at the same time: they wait, and do not compute.
LLM_SLOTS = 16
#: Jobs waiting in this process for one queue beyond which new ones are refused.
MAX_IN_LINE = 1024
#: Texts in one message.
MAX_TEXTS = 64
#: Characters in one message; a job that is longer goes alone.
MAX_CHARACTERS = 256 * 1024
TARGET_SECONDS = 0.1
FIRST_SPEED = 50_000.0
#: The share of the time until a job is due that what stands before it may take; the rest is for what is not foreseen.
PATIENCE = 0.7
#: A job that waits for longer may go out beyond the slots, if workers took all that was sent.
STUCK_SECONDS = 0.05
#: What was measured in so many busy seconds before counts a third (1/e) of what is measured now.
MEMORY_SECONDS = 2.0


@dataclass(slots=True, eq=False)
class Ticket:
    """The place of one job in the line of one queue, taken at `asked`."""

    job_id: int
    queue: Queue
    job: Job
    asked: float
    size: int = field(init=False)
    flight: Flight | None = None
    #: Answered, or given up.
    done: bool = False

    def __post_init__(self) -> None:
        self.size = sum(len(text.text) for text in self.job.texts) + sum(map(len, self.job.context))

    @property
    def waited_ms(self) -> float:
        """Return how long it stood in line."""
        return (self.flight.sent - self.asked) * 1000 if self.flight else 0.0


@dataclass(slots=True, eq=False)
class Flight:
    """One message: its jobs, how many of them have no answer yet, whether any was read, and the characters of those."""

    tickets: list[Ticket]
    sent: float
    left: int = 0
    answered: bool = False
    read: int = 0


@dataclass(slots=True, eq=False)
class Line:
    """What waits for one queue. Not safe for threads: its owner holds a lock."""

    slots: int = SLOTS
    waiting: deque[Ticket] = field(default_factory=deque)
    flights: int = 0
    #: Characters that wait.
    size: int = 0
    # Characters read lately, the messages that they came in and how long that took, the newer the heavier; before the
    # first, a cautious guess.
    _read: float = FIRST_SPEED * TARGET_SECONDS
    _messages: float = 1.0
    _seconds: float = TARGET_SECONDS
    #: Until when it is known how long messages took.
    _measured: float = 0.0

    @property
    def speed(self) -> float:
        """Return characters a second, as lately measured."""
        return self._read / self._seconds

    def has_room(self, seconds: float) -> bool:
        """Return whether a job that is due in `seconds` can be expected to be read in time behind what is there.

        An empty line has room for everything: with nothing to measure, a slow worker would never be found faster.
        """
        if not self.size and not self.flights:
            return True
        messages = self.flights + self.size / self._most()
        takes = messages * self._seconds / max(self._messages, 1e-9)
        return len(self.waiting) < MAX_IN_LINE and takes <= PATIENCE * seconds

    def join(self, ticket: Ticket) -> None:
        """Let a job wait at the end."""
        self.waiting.append(ticket)
        self.size += ticket.size

    def take(self, now: float, *, beyond: bool = False) -> Flight | None:
        """Return the next message; None when nothing waits, or no slot is free and `beyond` does not ask for more."""
        if self.flights >= self.slots and not beyond:
            return None
        tickets = self._next_tickets()
        if not tickets:
            return None
        flight = Flight(tickets, sent=now, left=len(tickets))
        for ticket in tickets:
            ticket.flight = flight
        if not self.flights:
            self._measured = now
        self.flights += 1
        return flight

    def stuck(self, now: float) -> bool:
        """Return whether the first job has waited long for a slot."""
        while self.waiting and self.waiting[0].done:
            self.waiting.popleft()
        return bool(self.waiting) and now - self.waiting[0].asked > STUCK_SECONDS

    def leave(self, ticket: Ticket, now: float, *, read: bool) -> None:
        """Note that a job was `read`, or given up; the last of a message frees its slot."""
        ticket.done = True
        flight = ticket.flight
        if flight is None:
            self.size -= ticket.size
            return
        flight.left -= 1
        if read:
            flight.answered = True
            flight.read += ticket.size
        if flight.left == 0:
            self.flights -= 1
            self._measure(flight, now)

    def _next_tickets(self) -> list[Ticket]:
        most = self._most()
        taken: list[Ticket] = []
        texts = characters = 0
        while self.waiting:
            ticket = self.waiting[0]
            texts += len(ticket.job.texts)
            characters += ticket.size
            if taken and not ticket.done and (texts > MAX_TEXTS or characters > most):
                break
            self.waiting.popleft()
            if not ticket.done:
                taken.append(ticket)
                self.size -= ticket.size
        return taken

    def _most(self) -> int:
        """Return how many characters go into one message."""
        return max(1, min(MAX_CHARACTERS, int(self.speed * TARGET_SECONDS)))

    def _measure(self, flight: Flight, now: float) -> None:
        """Note what one message brought, and how long there was nothing else to wait for.

        What was given up took its time and brought nothing: workers that miss deadlines get less, and smaller messages.
        """
        seconds, self._measured = now - self._measured, now
        kept = math.exp(-seconds / MEMORY_SECONDS)
        # Of a long time only the end counts, and of what it brought the same share.
        share = MEMORY_SECONDS * (1 - kept) / seconds if seconds else 1.0
        self._read = kept * self._read + share * flight.read
        self._messages = kept * self._messages + share * flight.answered
        self._seconds = kept * self._seconds + share * seconds
