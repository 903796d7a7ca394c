"""Work that many ask for, done together: one thread takes all that waits, and then what came meanwhile."""

from __future__ import annotations

import heapq
import itertools
import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

T = TypeVar("T")

log = logging.getLogger(__name__)

#: A round that waits for Redis or for a lock of the database holds up the rounds of others for so long and no longer.
TURN_SECONDS = 0.05


class Turns:
    """A lock that goes to whoever has waited longest; one of `threading` mostly goes to who had it last."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._line: deque[object] = deque()

    def acquire(self, timeout: float) -> bool:
        """Return whether it is one's turn, within so many seconds."""
        own = object()
        with self._changed:
            self._line.append(own)
            if self._changed.wait_for(lambda: self._line[0] is own, timeout):
                return True
            self._line.remove(own)
            return False

    def release(self) -> None:
        """Let the next have its turn."""
        with self._changed:
            self._line.popleft()
            self._changed.notify_all()


class Rounds(Generic[T]):
    """Hands what was put to `work`, in order, at most `most` items at a time, on a thread of its own.

    Nothing waits for company: whoever comes when nobody is at work is a round alone. The thread begins with the first
    item, so after any fork, and outlives whatever `work` raises; `work` is to answer its items itself.

    Those with the same `turns` do their rounds one after the other, so that meanwhile more comes together for the next.
    """

    def __init__(self, name: str, work: Callable[[list[T]], None], most: int, turns: Turns | None = None) -> None:
        self._name = name
        self._work = work
        self._most = most
        self._turns = turns or Turns()
        self._changed = threading.Condition()
        self._waiting: deque[T] = deque()
        self._later: list[tuple[float, int, T]] = []
        self._order = itertools.count()
        self._thread: threading.Thread | None = None

    def put(self, items: Sequence[T]) -> None:
        """Have `items` done as soon as may be."""
        with self._changed:
            self._waiting.extend(items)
            self._wake()

    def put_later(self, items: Sequence[tuple[float, T]]) -> None:
        """Have each item done at a time (monotonic seconds), also if it is done before."""
        with self._changed:
            for moment, item in items:
                heapq.heappush(self._later, (moment, next(self._order), item))
            self._wake()

    def _wake(self) -> None:
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, daemon=True, name=self._name)
            self._thread.start()
        self._changed.notify()

    def _run(self) -> None:
        while True:
            self._wait()
            own = self._turns.acquire(TURN_SECONDS)
            try:
                self._work(self._next())
            except Exception as error:  # noqa: BLE001 - without this thread no request is answered again
                log.error("%s: %s", self._name, type(error).__name__)
            finally:
                if own:
                    self._turns.release()

    def _wait(self) -> None:
        """Return when something is to be done."""
        with self._changed:
            while True:
                now = time.monotonic()
                while self._later and self._later[0][0] <= now:
                    self._waiting.append(heapq.heappop(self._later)[2])
                if self._waiting:
                    return
                self._changed.wait(self._later[0][0] - now if self._later else None)

    def _next(self) -> list[T]:
        with self._changed:
            return [self._waiting.popleft() for _ in range(min(self._most, len(self._waiting)))]
