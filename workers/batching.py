"""Many callers, one model: pieces of texts wait in a bounded queue and pass in batches of a padded-token budget.

The oldest piece goes first, with those that came within a few milliseconds of it and are nearest to its length. Nothing
waits for company: an idle model takes what is there. A long text's later pieces count as coming later, so that it does
not hold up what comes after it. Whatever the model does, every future gets an answer.

BatchingError
├── Overloaded     the queue is full; nothing was accepted
├── Closed         the batcher was closed, or gave up because the model kept failing
└── WrongAnswer    the model answered with another number of results than it was given pieces
"""

from __future__ import annotations

import heapq
import logging
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future, InvalidStateError
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Generic, Protocol, TypeVar

from screening.findings import Deadline, DeadlineExceeded
from workers.batch_choice import nearest

log = logging.getLogger(__name__)

#: Pieces that came within this time of the oldest may share its batch ahead of their turn.
NEIGHBOURS_SECONDS = 0.005
#: How many budgets of such neighbours are looked at.
LOOK_AHEAD = 8
#: After so many failed batches in a row the model is taken for broken.
GIVE_UP = 3

Piece = TypeVar("Piece", bound="Sized")
Taken = TypeVar("Taken", bound="Sized", contravariant=True)
Result = TypeVar("Result")
Given = TypeVar("Given", covariant=True)


class BatchingError(Exception):
    """The root of what this module raises."""


class Overloaded(BatchingError):
    """The queue is full."""


class Closed(BatchingError):
    """Nobody reads any more."""


class WrongAnswer(BatchingError):
    """The model broke its contract."""


class Sized(Protocol):
    def __len__(self) -> int: ...


class Runtime(Protocol[Taken, Given]):
    """What runs the batches."""

    #: Rows times the longest row of a batch stay within it. It may shrink, when memory runs out.
    budget: int
    #: Whether the next batch may be launched before this one is collected.
    overlaps: bool

    def launch(self, pieces: Sequence[Taken]) -> Callable[[], Sequence[Given]]:
        """Start a batch and return what waits for its results, one a piece, in order."""


@dataclass(frozen=True, slots=True)
class Read(Generic[Result]):
    """Results of the pieces of one text, in order, and how long it waited and was read, in milliseconds."""

    results: list[Result]
    queue_ms: float
    inference_ms: float


@dataclass(slots=True)
class Counts:
    """Since the start: texts refused and dropped, batches that failed, batches and their tokens."""

    refused: int = 0
    dropped: int = 0
    failed: int = 0
    batches: int = 0
    tokens: int = 0
    padded_tokens: int = 0


@dataclass(slots=True, eq=False)
class _Text(Generic[Result]):
    deadline: Deadline
    submitted: float
    left: int
    results: list[Result | None]
    future: Future[Read[Result]] = field(default_factory=Future)
    launched: float = 0.0

    def fail(self, error: Exception) -> None:
        # Its caller may have given up in the meantime.
        with suppress(InvalidStateError):
            self.future.set_exception(error)

    def add(self, index: int, result: Result) -> None:
        self.results[index] = result
        self.left -= 1
        if self.left == 0:
            waited, read = self.launched - self.submitted, time.monotonic() - self.launched
            whole = [one for one in self.results if one is not None]
            with suppress(InvalidStateError):
                self.future.set_result(Read(whole, waited * 1000, read * 1000))


@dataclass(slots=True, eq=False)
class _Waiting(Generic[Piece, Result]):
    text: _Text[Result]
    index: int
    piece: Piece
    turn: float

    def __lt__(self, other: _Waiting[Piece, Result]) -> bool:
        return self.turn < other.turn


class Batcher(Generic[Piece, Result]):
    """Runs a `Runtime` on a thread of its own. Safe to call from any thread; must be made after any fork."""

    def __init__(self, runtime: Runtime[Piece, Result], *, capacity: int) -> None:
        """Accept texts until `capacity` tokens wait; a text that finds the queue empty is always accepted."""
        self._runtime = runtime
        self._capacity = capacity
        self._changed = threading.Condition()
        self._queue: list[_Waiting[Piece, Result]] = []
        self._tokens = 0
        self._flying: set[_Waiting[Piece, Result]] = set()
        self._closed = False
        self._failures = 0
        self._pace = 0.02
        self.counts = Counts()
        self._thread = threading.Thread(target=self._run, daemon=True, name="batcher")
        self._thread.start()

    def submit(self, pieces: Sequence[Piece], deadline: Deadline) -> Future[Read[Result]]:
        """Queue the pieces of one text, at least one, and return where its `Read` arrives.

        The future fails with DeadlineExceeded when `deadline` passes before its last piece is launched, with Closed,
        or with what the model raised. Cancel it to withdraw the text. Raises Overloaded and Closed.
        """
        size = sum(map(len, pieces))
        text: _Text[Result] = _Text(deadline, time.monotonic(), len(pieces), [None] * len(pieces))
        with self._changed:
            if self._closed:
                raise Closed
            if self._queue and self._tokens + size > self._capacity:
                self.counts.refused += 1
                raise Overloaded
            before = 0
            for index, piece in enumerate(pieces):
                turn = text.submitted + before // self._runtime.budget * self._pace
                heapq.heappush(self._queue, _Waiting(text, index, piece, turn))
                before += len(piece)
            self._tokens += size
            self._changed.notify()
        return text.future

    def close(self, seconds: float = 10.0) -> None:
        """Take no more, let the batch in flight end within `seconds`, and fail whatever is left with Closed."""
        with self._changed:
            self._closed = True
            self._changed.notify()
        self._thread.join(seconds)
        self._fail_all()

    def _run(self) -> None:
        collect: Callable[[], None] | None = None
        try:
            while (batch := self._take(wait=collect is None)) is not None:
                started = self._launch(batch) if batch else None
                if collect is not None:
                    collect()
                collect = started
                if collect is not None and not self._runtime.overlaps:
                    collect()
                    collect = None
        finally:
            # Also when the runtime ended this thread with something that is no Exception.
            with self._changed:
                self._closed = True
            self._fail_all()

    def _take(self, *, wait: bool) -> list[_Waiting[Piece, Result]] | None:
        """Return the next batch; an empty one when nothing waits and `wait` is false, None when closed."""
        with self._changed:
            while not self._closed:
                batch = self._choose()
                if batch or not wait:
                    self._flying.update(batch)
                    return batch
                self._changed.wait()
        return None

    def _choose(self) -> list[_Waiting[Piece, Result]]:
        known: list[_Waiting[Piece, Result]] = []
        looked = 0
        while self._queue and looked < LOOK_AHEAD * self._runtime.budget:
            if known and self._queue[0].turn > known[0].turn + NEIGHBOURS_SECONDS:
                break
            one = heapq.heappop(self._queue)
            self._tokens -= len(one.piece)
            if not self._gone(one.text):
                known.append(one)
                looked += len(one.piece)
        if not known:
            return []
        by_length = sorted(known, key=lambda one: len(one.piece))
        low, high = nearest([len(one.piece) for one in by_length], by_length.index(known[0]), self._runtime.budget)
        for one in by_length[:low] + by_length[high:]:
            heapq.heappush(self._queue, one)
            self._tokens += len(one.piece)
        return by_length[low:high]

    def _gone(self, text: _Text[Result]) -> bool:
        if not text.future.done() and text.deadline.remaining() <= 0:
            self.counts.dropped += 1
            text.fail(DeadlineExceeded())
        return text.future.done()

    def _launch(self, batch: list[_Waiting[Piece, Result]]) -> Callable[[], None] | None:
        start = time.monotonic()
        for one in batch:
            one.text.launched = one.text.launched or start
        try:
            collect = self._runtime.launch([one.piece for one in batch])
        except Exception as error:  # noqa: BLE001 - whatever the model does, its callers get an answer
            self._fail(batch, error)
            return None
        return lambda: self._collect(batch, collect, start)

    def _collect(
        self, batch: list[_Waiting[Piece, Result]], collect: Callable[[], Sequence[Result]], start: float
    ) -> None:
        try:
            results = collect()
            if len(results) != len(batch):
                raise WrongAnswer
        except Exception as error:  # noqa: BLE001 - as in _launch
            self._fail(batch, error)
            return
        self._failures = 0
        self._pace += 0.2 * (time.monotonic() - start - self._pace)
        self.counts.batches += 1
        self.counts.tokens += sum(len(one.piece) for one in batch)
        self.counts.padded_tokens += len(batch) * max(len(one.piece) for one in batch)
        for one, result in zip(batch, results, strict=True):
            one.text.add(one.index, result)
        self._landed(batch)

    def _fail(self, batch: list[_Waiting[Piece, Result]], error: Exception) -> None:
        # The class alone: a message may quote the text.
        log.error("a batch of %d failed: %s", len(batch), type(error).__name__)
        self.counts.failed += 1
        self._failures += 1
        for one in batch:
            one.text.fail(error)
        self._landed(batch)
        if self._failures >= GIVE_UP:
            log.error("the model failed %d times in a row: giving up", GIVE_UP)
            with self._changed:
                self._closed = True

    def _landed(self, batch: list[_Waiting[Piece, Result]]) -> None:
        with self._changed:
            self._flying.difference_update(batch)

    def _fail_all(self) -> None:
        with self._changed:
            left = [*self._flying, *self._queue]
            self._queue, self._flying, self._tokens = [], set(), 0
        for one in left:
            one.text.fail(Closed())
