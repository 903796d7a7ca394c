"""How a worker says that it lives, so that nothing is sent to a queue that nobody serves."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterable

import redis

from workers.messages import alive_key

log = logging.getLogger(__name__)

ALIVE_SECONDS = 10
#: How often a worker says so.
SAY_SECONDS = 2.0


def keep_alive_keys(connection: redis.Redis, queues: Iterable[str]) -> None:
    """Keep the keys of `queues` fresh from now on, in a thread that ends with the process."""
    threading.Thread(target=_keep, args=(connection, list(queues)), daemon=True, name="alive").start()


def _keep(connection: redis.Redis, queues: list[str]) -> None:
    stop = threading.Event()
    while True:
        try:
            pipe = connection.pipeline(transaction=False)
            for queue in queues:
                pipe.set(alive_key(queue), "1", ex=ALIVE_SECONDS)
            pipe.execute()
        except redis.RedisError:
            log.warning("Redis does not answer")
        stop.wait(SAY_SECONDS)
