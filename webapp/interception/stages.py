"""How long each stage of a request took, for the `Server-Timing` header and the benchmark that reads it."""

from __future__ import annotations

import time


class Stages:
    """The time of one request, cut into stages from its beginning to now."""

    def __init__(self) -> None:
        self._start = self._last = time.perf_counter()
        self._spent: dict[str, float] = {}

    def mark(self, name: str) -> None:
        """Count the time since the last mark, waiting included, to a stage."""
        now = time.perf_counter()
        self._spent[name] = self._spent.get(name, 0.0) + now - self._last
        self._last = now

    def header(self) -> str:
        """Return the stages and their total in the form of the header, in milliseconds."""
        spent = {**self._spent, "total": self._last - self._start}
        return ", ".join(f"{name};dur={seconds * 1000:.2f}" for name, seconds in spent.items())
