"""A model that answers with what it is given, and batchers in front of it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from contextlib import contextmanager

from screening.findings import Deadline
from workers.batching import Batcher
from workers.waiting import Read

NEVER = Deadline()
WAIT = 20


class Echo:
    """Answers every piece with itself; can be held, so that a test decides what waits."""

    def __init__(self, budget: int = 100, *, overlaps: bool = False) -> None:
        self.budget = budget
        self.overlaps = overlaps
        self.batches: list[list[str]] = []
        self.free = threading.Event()
        self.free.set()
        self.busy = threading.Semaphore(0)

    def launch(self, pieces: Sequence[str]) -> Callable[[], Sequence[str]]:
        self.batches.append(list(pieces))
        self.busy.release()
        assert self.free.wait(WAIT)
        return lambda: list(pieces)


@contextmanager
def batcher(runtime: Echo, lanes: int = 1, capacity: int = 10_000) -> Iterator[Batcher[str, str]]:
    one = Batcher(runtime, capacity=capacity, lanes=lanes)
    try:
        yield one
    finally:
        runtime.free.set()
        one.close(WAIT)


@contextmanager
def held(runtime: Echo, one: Batcher[str, str]) -> Iterator[list[Future[Read[str]]]]:
    """Keep every lane busy with a text of its own until the block ends."""
    runtime.free.clear()
    while runtime.busy.acquire(blocking=False):
        pass
    first = []
    for _ in one._threads:
        first.append(one.submit(["held"], NEVER))
        assert runtime.busy.acquire(timeout=WAIT)
    yield first
    runtime.free.set()
    assert all(future.result(WAIT).results == ["held"] for future in first)


def end(one: Batcher[str, str]) -> None:
    for thread in one._threads:
        thread.join(WAIT)
        assert not thread.is_alive()
