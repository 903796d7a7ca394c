"""The clock that sends the periodic tasks."""

from __future__ import annotations

import os
from typing import Any

from celery.beat import PersistentScheduler

from workers.services_file import redis_url


class Scheduler(PersistentScheduler):  # type: ignore[misc]  # celery has no types
    """Celery's own, that ends with what to do where it can not work."""

    def __init__(self, *args: Any, **options: Any) -> None:
        redis_url(os.environ)
        super().__init__(*args, **options)
