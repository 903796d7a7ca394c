"""Lines of a log that come at most once a minute, however often there is something to say."""

from __future__ import annotations

import threading
import time

SECONDS = 60.0


class Seldom:
    """Counts what happens, and says when to tell of it: the first time, then a minute later. Safe for threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._count, self._after = 0, float("-inf")

    def due(self) -> int:
        """Count one more; return how many there were since it was told last, or 0 when that was a moment ago."""
        with self._lock:
            self._count += 1
            if time.monotonic() < self._after:
                return 0
            told, self._count, self._after = self._count, 0, time.monotonic() + SECONDS
            return told
