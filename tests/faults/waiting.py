"""Waiting for what a running app does by itself."""

from __future__ import annotations

import time
from collections.abc import Callable

SECONDS = 90.0


def wait_until(done: Callable[[], bool], what: str) -> None:
    """Ask `done` again and again until it is true; fail after 90 seconds."""
    deadline = time.monotonic() + SECONDS
    while not done():
        assert time.monotonic() < deadline, f"waited {SECONDS:.0f} s for {what}"
        time.sleep(0.05)
