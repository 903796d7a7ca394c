"""How a worker says that it lives, so that nothing is sent to a queue that nobody serves."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from typing import Any

import redis

from workers.messages import alive_key
from workers.roster import Worker, enter
from workers.seldom import Seldom

log = logging.getLogger(__name__)

ALIVE_SECONDS = 10
#: How often a worker says so.
SAY_SECONDS = 2.0
#: How often one that has no connection looks whether it has one.
LOOK_SECONDS = 0.1
#: How far this host's clock may be from that of Redis: deadlines are points in time, and both sides look at their own.
MOST_AHEAD = 0.25


def keep_alive_keys(
    connection: redis.Redis, describe: Callable[[], Worker], connected: Callable[[], bool] = lambda: True
) -> None:
    """Keep the keys of this worker and its queues fresh from now on while it is `connected`.

    In a thread that ends with the process; `describe` is called there, and must not raise.
    """
    threading.Thread(target=_keep, args=(connection, describe, connected), daemon=True, name="alive").start()


def is_connected(consumer: Any) -> bool:
    """Return whether Celery's consumer, which may be None, has a broker: after an outage it pauses before it tries."""
    # A connection that broke may still call itself connected; the count is of attempts since, and 0 once one went well.
    return getattr(consumer, "connection", None) is not None and not consumer.broker_connection_retry_attempt


def _keep(connection: redis.Redis, describe: Callable[[], Worker], connected: Callable[[], bool]) -> None:
    stop, off = threading.Event(), Seldom()
    while True:
        while not connected():
            stop.wait(LOOK_SECONDS)
        try:
            ahead = _say(connection, describe())
        except redis.RedisError as error:
            log.warning("Redis does not answer as it should: %s", type(error).__name__)
        else:
            if abs(ahead) > MOST_AHEAD and off.due():
                log.warning(
                    "the clock of this host is %.1f seconds %s that of Redis; deadlines are missed: set both by NTP",
                    abs(ahead),
                    "ahead of" if ahead > 0 else "behind",
                )
        stop.wait(SAY_SECONDS)


def _say(connection: redis.Redis, worker: Worker) -> float:
    """Keep the keys fresh, and return how many seconds this host's clock is ahead of that of Redis."""
    pipe = connection.pipeline(transaction=False)
    for queue in worker.queues:
        pipe.set(alive_key(queue), "1", ex=ALIVE_SECONDS)
    enter(pipe, worker, seconds=ALIVE_SECONDS)
    pipe.time()
    before = time.time()
    seconds, microseconds = pipe.execute()[-1]
    # Redis said it at some time between; nearer is not known.
    earliest, latest = before - (seconds + microseconds / 1e6), time.time() - (seconds + microseconds / 1e6)
    return 0.0 if earliest <= 0 <= latest else min(earliest, latest, key=abs)
