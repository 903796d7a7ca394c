"""Many callers, one model: pieces of texts wait in a bounded queue and pass in batches of a padded-token budget.

The oldest piece goes first, with those nearest to its length: of what came within a few milliseconds of it or, when
that is little, of the next in turn. Nothing waits for company: an idle model takes what is there. A long text's later
pieces count as coming later, so that it does not hold up what comes after it. Several lanes may run batches at the same
time, each on a thread of its own: each takes its share of what waits. Whatever the model does, every future gets an
answer.

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
from concurrent.futures import Future
from typing import Generic, Protocol, TypeVar

from screening.findings import Deadline, DeadlineExceeded
from workers.batch_choice import nearest
from workers.waiting import Counts, Piece, Read, Result, Sized, Text, Waiting

log = logging.getLogger(__name__)

#: Pieces that came within this time of the oldest may share its batch ahead of their turn.
NEIGHBOURS_SECONDS = 0.005
#: How many budgets of such neighbours are looked at, and from how many on those that came later are left for later.
LOOK_AHEAD, ENOUGH = 8, 2
#: Several lanes do not share out less than this: on a CPU, 26 tokens more cost what another batch costs.
WORTH_A_BATCH = 64
#: After so many failed batches in a row the model is taken for broken.
GIVE_UP = 3

Taken = TypeVar("Taken", bound=Sized, contravariant=True)
Given = TypeVar("Given", covariant=True)


class BatchingError(Exception):
    """The root of what this module raises."""


class Overloaded(BatchingError):
    """The queue is full."""


class Closed(BatchingError):
    """Nobody reads any more."""


class WrongAnswer(BatchingError):
    """The model broke its contract."""


class Runtime(Protocol[Taken, Given]):
    """What runs the batches."""

    #: Rows times the longest row of a batch stay within it. It may shrink, when memory runs out.
    budget: int
    #: Whether the next batch may be launched before this one is collected.
    overlaps: bool

    def launch(self, pieces: Sequence[Taken]) -> Callable[[], Sequence[Given]]:
        """Start a batch and return what waits for its results, one a piece, in order. With several lanes: from each."""


class Batcher(Generic[Piece, Result]):
    """Runs a `Runtime` on threads of its own. Safe to call from any thread; must be made after any fork."""

    def __init__(
        self,
        runtime: Runtime[Piece, Result],
        *,
        capacity: int,
        lanes: int = 1,
        initializer: Callable[[], None] = lambda: None,
    ) -> None:
        """Accept texts until `capacity` tokens wait; a text that finds the queue empty is always accepted.

        A text counts as half of that at most, so that a very long one leaves room for what comes after it.
        Each of the `lanes` is a thread that calls `initializer`, then launches and collects one batch after the other.
        """
        self._runtime = runtime
        self._capacity = capacity
        self._initializer = initializer
        # Guards all that lanes and callers share, the fields of texts included.
        self._changed = threading.Condition()
        self._queue: list[Waiting[Piece, Result]] = []
        self._tokens = self._counted = 0
        self._flying: list[set[Waiting[Piece, Result]]] = [set() for _ in range(lanes)]
        self._closed = False
        self._failures = 0
        self._pace = 0.02
        self.counts = Counts()
        self._warm = [threading.Event() for _ in range(lanes)]
        self._threads = [
            threading.Thread(target=self._run, args=(flying, warm), daemon=True, name=f"lane-{number}")
            for number, (flying, warm) in enumerate(zip(self._flying, self._warm, strict=True))
        ]
        for thread in self._threads:
            thread.start()

    def submit(self, pieces: Sequence[Piece], deadline: Deadline) -> Future[Read[Result]]:
        """Queue the pieces of one text, at least one, and return where its `Read` arrives.

        The future fails with DeadlineExceeded when `deadline` passes before its last piece is launched, with Closed,
        or with what the model raised. Cancel it to withdraw the text. Raises Overloaded and Closed.
        """
        size = sum(map(len, pieces))
        text: Text[Result] = Text(deadline, time.monotonic(), len(pieces), [None] * len(pieces))
        with self._changed:
            if self._closed:
                raise Closed
            if self._queue and self._counted + size > self._capacity:
                self.counts.refused += 1
                raise Overloaded
            before = 0
            for index, piece in enumerate(pieces):
                turn = text.submitted + before // (self._runtime.budget * len(self._flying)) * self._pace
                heapq.heappush(self._queue, Waiting(text, index, piece, turn))
                before += len(piece)
            self._count(text, size)
            self.counts.texts += 1
            text.future.add_done_callback(self._count_dropped)
            self._changed.notify(len(pieces))
        return text.future

    def wait_until_warm(self) -> None:
        """Return when each lane's `initializer` has ended. Texts may be submitted before."""
        for warm in self._warm:
            warm.wait()

    def close(self, seconds: float = 10.0) -> None:
        """Take no more, let the batches in flight end within `seconds`, and fail whatever is left with Closed."""
        self._end()
        end = time.monotonic() + seconds
        for thread in self._threads:
            thread.join(max(0.0, end - time.monotonic()))
        for flying in self._flying:
            self._fail_all(flying)

    def _run(self, flying: set[Waiting[Piece, Result]], warm: threading.Event) -> None:
        collect: Callable[[], None] | None = None
        try:
            self._initializer()
            warm.set()
            while (batch := self._take(flying, wait=collect is None)) is not None:
                started = self._launch(batch, flying) if batch else None
                if collect is not None:
                    collect()
                collect = started
                if collect is not None and not self._runtime.overlaps:
                    collect()
                    collect = None
            if collect is not None:
                collect()
        finally:
            # Also when the runtime ended this lane with something that is no Exception: then the others end, too.
            self._end()
            self._fail_all(flying)
            warm.set()

    def _end(self) -> None:
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    def _take(self, flying: set[Waiting[Piece, Result]], *, wait: bool) -> list[Waiting[Piece, Result]] | None:
        """Return the next batch; an empty one when nothing waits and `wait` is false, None when closed."""
        with self._changed:
            while not self._closed:
                batch = self._choose()
                if batch or not wait:
                    flying.update(batch)
                    now = time.monotonic()
                    for one in batch:
                        one.text.launched = one.text.launched or now
                    return batch
                self._changed.wait()
        return None

    def _choose(self) -> list[Waiting[Piece, Result]]:
        known: list[Waiting[Piece, Result]] = []
        waiting, looked = self._tokens, 0
        while self._queue and looked < LOOK_AHEAD * self._runtime.budget:
            late = known and self._queue[0].turn > known[0].turn + NEIGHBOURS_SECONDS
            if late and looked >= ENOUGH * self._runtime.budget:
                break
            one = heapq.heappop(self._queue)
            self._count(one.text, -len(one.piece))
            if not self._gone(one.text):
                known.append(one)
                looked += len(one.piece)
        if not known:
            return []
        by_length = sorted(known, key=lambda one: len(one.piece))
        budget = self._share(waiting, len(known[0].piece))
        low, high = nearest([len(one.piece) for one in by_length], by_length.index(known[0]), budget)
        for one in by_length[:low] + by_length[high:]:
            heapq.heappush(self._queue, one)
            self._count(one.text, len(one.piece))
        return by_length[low:high]

    def _count(self, text: Text[Result], tokens: int) -> None:
        """Take note that `tokens` more of `text` wait, or less."""
        most, before = self._capacity // 2, text.waiting
        text.waiting += tokens
        self._tokens += tokens
        self._counted += min(most, text.waiting) - min(most, before)

    def _share(self, waiting: int, first: int) -> int:
        """Return the budget of a batch when so many tokens wait, in whole pieces as long as the `first` one."""
        lanes, longest = len(self._flying), max(1, first)
        if lanes == 1:
            return self._runtime.budget
        share = max(WORTH_A_BATCH, waiting / lanes)
        return min(self._runtime.budget, max(1, round(share / longest)) * longest)

    def _gone(self, text: Text[Result]) -> bool:
        if not text.future.done() and text.deadline.remaining() <= 0:
            text.fail(DeadlineExceeded())
        return text.future.done()

    def _count_dropped(self, future: Future[Read[Result]]) -> None:
        """Count a text that came too late, by our watch or by that of its caller, who withdrew it."""
        if future.cancelled() or isinstance(future.exception(), DeadlineExceeded):
            with self._changed:
                self.counts.dropped += 1

    def _launch(
        self, batch: list[Waiting[Piece, Result]], flying: set[Waiting[Piece, Result]]
    ) -> Callable[[], None] | None:
        start = time.monotonic()
        try:
            collect = self._runtime.launch([one.piece for one in batch])
        except Exception as error:  # noqa: BLE001 - whatever the model does, its callers get an answer
            self._fail(batch, error)
            self._landed(batch, flying)
            return None

        def finish() -> None:
            self._collect(batch, collect, start)
            self._landed(batch, flying)

        return finish

    def _collect(
        self, batch: list[Waiting[Piece, Result]], collect: Callable[[], Sequence[Result]], start: float
    ) -> None:
        try:
            results = collect()
            if len(results) != len(batch):
                raise WrongAnswer
        except Exception as error:  # noqa: BLE001 - as in _launch
            self._fail(batch, error)
            return
        with self._changed:
            self._failures = 0
            self._pace += 0.2 * (time.monotonic() - start - self._pace)
            self.counts.batches += 1
            self.counts.tokens += sum(len(one.piece) for one in batch)
            self.counts.padded_tokens += len(batch) * max(len(one.piece) for one in batch)
            for one, result in zip(batch, results, strict=True):
                one.text.results[one.index] = result
                one.text.left -= 1
            # Here, because of two lanes that each add to a text only one may find it whole.
            whole = {one.text for one in batch if one.text.left == 0}
        for text in whole:
            text.answer()

    def _fail(self, batch: list[Waiting[Piece, Result]], error: Exception) -> None:
        # The class alone: a message may quote the text.
        log.error("a batch of %d failed: %s", len(batch), type(error).__name__)
        with self._changed:
            self.counts.failed += 1
            self._failures += 1
            broken = self._failures >= GIVE_UP
        # Without its frames: they hold the tensors of the batch, and futures would hold them.
        error = error.with_traceback(None)
        for one in batch:
            one.text.fail(error)
        if broken:
            log.error("the model failed %d times in a row: giving up", GIVE_UP)
            self._end()

    def _landed(self, batch: list[Waiting[Piece, Result]], flying: set[Waiting[Piece, Result]]) -> None:
        with self._changed:
            flying.difference_update(batch)

    def _fail_all(self, flying: set[Waiting[Piece, Result]]) -> None:
        """Fail what a lane that ended was given, and what nobody will take any more."""
        with self._changed:
            left = [*flying, *self._queue]
            flying.clear()
            self._queue, self._tokens, self._counted = [], 0, 0
        for one in left:
            one.text.fail(Closed())
