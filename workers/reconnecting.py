"""How Celery's workers come back to a Redis that was away."""

from __future__ import annotations

from typing import Any

from celery.app.amqp import AMQP
from kombu import connection

#: Seconds between two attempts. kombu's pauses grow to 30 seconds: so much longer nobody would screen after an outage.
PAUSE = 1


class Connection(connection.Connection):
    """A connection that is tried again after the same short pause, however long Redis is away."""

    def _ensure_connection(self, *args: Any, **kwargs: Any) -> Any:
        pauses = {"interval_start": PAUSE, "interval_step": 0, "interval_max": PAUSE}
        ensure: Any = super()._ensure_connection
        return ensure(*args, **{**pauses, **kwargs})


class SteadyAMQP(AMQP):  # type: ignore[misc]  # stubs of Celery leave it out
    """What Celery makes its connections by."""

    Connection = Connection
