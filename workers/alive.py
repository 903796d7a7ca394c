"""How a worker says that it lives, so that nothing is sent to a queue that nobody serves."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterable
from typing import Any

import redis

from workers.messages import alive_key

log = logging.getLogger(__name__)

ALIVE_SECONDS = 10
#: How often a worker says so.
SAY_SECONDS = 2.0
#: How often one that has no connection looks whether it has one.
LOOK_SECONDS = 0.1


def keep_alive_keys(
    connection: redis.Redis, queues: Iterable[str], connected: Callable[[], bool] = lambda: True
) -> None:
    """Keep the keys of `queues` fresh from now on while it is `connected`, in a thread that ends with the process."""
    threading.Thread(target=_keep, args=(connection, list(queues), connected), daemon=True, name="alive").start()


def is_connected(consumer: Any) -> bool:
    """Return whether Celery's consumer, which may be None, has a broker: after an outage it pauses before it tries."""
    # A connection that broke may still call itself connected; the count is of attempts since, and 0 once one went well.
    return getattr(consumer, "connection", None) is not None and not consumer.broker_connection_retry_attempt


def _keep(connection: redis.Redis, queues: list[str], connected: Callable[[], bool]) -> None:
    stop = threading.Event()
    while True:
        while not connected():
            stop.wait(LOOK_SECONDS)
        try:
            pipe = connection.pipeline(transaction=False)
            for queue in queues:
                pipe.set(alive_key(queue), "1", ex=ALIVE_SECONDS)
            pipe.execute()
        except redis.RedisError:
            log.warning("Redis does not answer")
        stop.wait(SAY_SECONDS)
