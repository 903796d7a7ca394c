"""Do the same thing in several threads at the same moment, each on a database connection of its own."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from django.db import connection

T = TypeVar("T")


def at_once(work: Callable[[int], T], *, times: int) -> list[T]:
    """Call `work` in as many threads, all released together; close their connections."""
    gate = threading.Barrier(times)

    def run(number: int) -> T:
        try:
            gate.wait(timeout=30)
            return work(number)
        finally:
            connection.close()

    with ThreadPoolExecutor(times) as pool:
        return list(pool.map(run, range(times)))
