"""Health for load balancers and `manage.py up`: alive, and ready to screen."""

from __future__ import annotations

import logging

import redis
from django.conf import settings
from django.db import Error, connection
from django.http import HttpRequest, JsonResponse
from django.views.decorators.http import require_safe

from webapp.monitoring.schema import migrated
from webapp.waits import code_of
from workers.broker import BEAT, CONCLUDE, CONTROL, needed_queues
from workers.messages import alive_key

log = logging.getLogger(__name__)

#: What no check needs to be answered.
TOLD = (CONTROL, CONCLUDE, BEAT)


@require_safe
def healthz(request: HttpRequest) -> JsonResponse:
    """Answer 200 as long as the process serves."""
    return JsonResponse({"status": "ok"})


@require_safe
def readyz(request: HttpRequest) -> JsonResponse:
    """Answer 200 when the database, Redis and a worker of each screening queue are there, else 503; name what is not.

    A database that only reads, as in a failover, is not there; one that lacks migrations is not `migrated`.
    Checks are answered without the control workers and beat, so these are only told: what they do waits for them.
    """
    state = {**_database(), **_redis()}
    needed = [there for name, there in state.items() if name not in TOLD]
    return JsonResponse(state, status=200 if all(needed) else 503)


def _database() -> dict[str, bool]:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SHOW transaction_read_only")
            found: tuple[str] = cursor.fetchone()
    except Error as error:
        log.warning("the database said %s", code_of(error))
        return {"database": False, "migrated": False}
    return {"database": found == ("off",), "migrated": migrated()}


def _redis() -> dict[str, bool]:
    names = [*needed_queues(), *TOLD]
    try:
        with redis.Redis.from_url(settings.REDIS_URL, socket_timeout=1.0, socket_connect_timeout=1.0) as client:
            alive = [bool(client.exists(alive_key(name))) for name in names]
    except redis.RedisError as error:
        log.warning("Redis does not answer (%s)", type(error).__name__)
        return {"redis": False, **dict.fromkeys(names, False)}
    return {"redis": True, **dict(zip(names, alive, strict=True))}
