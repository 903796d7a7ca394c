"""Work that concurrent callers have done together, without a thread of its own and without waiting for company."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from typing import Generic, TypeVar

T = TypeVar("T")
R = TypeVar("R")


class _Place(Generic[T, R]):
    """One caller's items; `turn` is set when they are done, or when it is this caller's turn to do the work."""

    def __init__(self, items: list[T]) -> None:
        self.items = items
        self.turn = threading.Event()
        self.results: list[R | Exception] | None = None


class Group(Generic[T, R]):
    """Hands what waits to `work`, at most about `most` items at a time, in the thread of one of those who wait.

    Whoever comes when nobody is at work works at once, for itself alone; who comes meanwhile waits, and the first of
    them does the next round for all. `work` returns a result or an exception for each item, in order; what it raises
    goes to every caller of the round.
    """

    def __init__(self, work: Callable[[list[T]], list[R | Exception]], most: int) -> None:
        self._work = work
        self._most = most
        self._lock = threading.Lock()
        self._waiting: deque[_Place[T, R]] = deque()
        self._busy = False

    def do(self, items: list[T]) -> list[R | Exception]:
        """Return what became of `items`, in order."""
        place = _Place[T, R](items)
        with self._lock:
            self._waiting.append(place)
            leads = not self._busy
            self._busy = True
        if not leads:
            place.turn.wait()
        if place.results is None:
            self._lead()
        assert place.results is not None  # noqa: S101 - who leads is the first of its own round
        return place.results

    def _lead(self) -> None:
        round_ = self._next_round()
        items = [item for place in round_ for item in place.items]
        results: list[R | Exception]
        try:
            results = self._work(items)
        except Exception as error:  # noqa: BLE001 - whoever waits must hear of it, whatever it is
            results = [error] * len(items)
        finally:
            self._hand_on()
        for place in round_:
            place.results, results = results[: len(place.items)], results[len(place.items) :]
            place.turn.set()

    def _next_round(self) -> list[_Place[T, R]]:
        with self._lock:
            round_ = [self._waiting.popleft()]
            size = len(round_[0].items)
            while self._waiting and size + len(self._waiting[0].items) <= self._most:
                size += len(self._waiting[0].items)
                round_.append(self._waiting.popleft())
            return round_

    def _hand_on(self) -> None:
        with self._lock:
            self._busy = bool(self._waiting)
            if self._busy:
                self._waiting[0].turn.set()
