"""How long each stage of a request took, for the `Server-Timing` header and the benchmark that reads it."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager


class _Spent(threading.local):
    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}


_spent = _Spent()


def begin() -> None:
    """Forget what this thread's last request spent."""
    _spent.seconds = {}


@contextmanager
def stage(name: str) -> Iterator[None]:
    """Count the time of the block, waiting included, to a stage of this thread's request."""
    start = time.perf_counter()
    try:
        yield
    finally:
        _spent.seconds[name] = _spent.seconds.get(name, 0.0) + time.perf_counter() - start


def server_timing() -> str:
    """Return the stages so far in the form of the header, in milliseconds."""
    return ", ".join(f"{name};dur={seconds * 1000:.2f}" for name, seconds in _spent.seconds.items())
