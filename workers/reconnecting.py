"""How Celery's workers come back to a Redis that was away."""

from __future__ import annotations

from typing import Any

from celery.app.amqp import AMQP
from kombu import connection

#: Seconds between two attempts. kombu's pauses grow to 30 seconds: so much longer nobody would screen after an outage.
PAUSE = 1


class Connection(connection.Connection):
    """A connection that is tried again after the same short pause, however long Redis is away."""

    # kombu calls it with pauses by name, by place and not at all.
    def _ensure_connection(
        self,
        errback: Any = None,
        max_retries: int | None = None,
        interval_start: float = PAUSE,
        interval_step: float = 0,
        interval_max: float = PAUSE,
        *others: Any,
        **options: Any,
    ) -> Any:
        ensure: Any = super()._ensure_connection
        return ensure(errback, max_retries, interval_start, interval_step, interval_max, *others, **options)


class SteadyAMQP(AMQP):  # type: ignore[misc]  # stubs of Celery leave it out
    """What Celery makes its connections by."""

    Connection = Connection
