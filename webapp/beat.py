"""The clock that sends the periodic tasks, and says that it does."""

from __future__ import annotations

import logging
import os
from pathlib import Path
from typing import Any

import redis
from celery.beat import PersistentScheduler

from workers.broker import BEAT, SOCKET_TIMEOUT
from workers.messages import alive_key
from workers.services_file import redis_url

log = logging.getLogger(__name__)

#: It ticks every two seconds; a Redis that is away for less than this makes nobody look for a beat that is gone.
ALIVE_SECONDS = 60


class Scheduler(PersistentScheduler):  # type: ignore[misc]  # celery has no types
    """Celery's own, that ends with what to do where it can not work."""

    def __init__(self, *args: Any, **options: Any) -> None:
        self._alive = redis.Redis.from_url(
            redis_url(os.environ), socket_timeout=SOCKET_TIMEOUT, socket_connect_timeout=SOCKET_TIMEOUT
        )
        super().__init__(*args, **options)

    def setup_schedule(self) -> None:
        """Open the file of what was sent when. Raises SystemExit where there is no folder for it."""
        folder = Path(self.schedule_filename).resolve().parent
        if not (folder.is_dir() and os.access(folder, os.W_OK | os.X_OK)):
            raise SystemExit(
                f"beat cannot write to the folder {folder}: make it, owned by the user that runs beat,"
                " or name a file in another one with --schedule."
            )
        super().setup_schedule()

    def tick(self, *args: Any, **options: Any) -> float:
        """Send what is due, and return in how many seconds to come again.

        Here, and not on a thread as workers do: a clock that hangs is as good as none.
        """
        wait: float = super().tick(*args, **options)
        try:
            self._alive.set(alive_key(BEAT), "1", ex=ALIVE_SECONDS)
        except redis.RedisError as error:
            log.warning("Redis does not answer (%s)", type(error).__name__)
        return wait
