"""Check servers that DATABASE_URL and REDIS_URL name before anything is started; passwords never reach a message."""

from urllib.parse import urlsplit

import psycopg
import redis

from webapp.local.home import LocalError

TIMEOUT_SECONDS = 5


def check_database(url: str) -> str:
    """Return `host:port/name` of a PostgreSQL server that answers; raise LocalError when it does not."""
    place = _place(url, "DATABASE_URL", {"postgres", "postgresql"}, 5432)
    try:
        psycopg.connect(url, connect_timeout=TIMEOUT_SECONDS).close()
    except psycopg.Error as error:
        reason = str(error).strip().splitlines()[-1] if isinstance(error, psycopg.OperationalError) else "bad address"
        raise LocalError(
            f"the PostgreSQL server of DATABASE_URL ({place}) cannot be used: {reason}",
            "Start it, correct DATABASE_URL (postgres://user:password@host:port/database), or unset it to let"
            " Countersign start its own.",
        ) from None
    return place


def check_redis(url: str) -> str:
    """Return `host:port/number` of a Redis server that answers; raise LocalError when it does not."""
    place = _place(url, "REDIS_URL", {"redis", "rediss", "unix"}, 6379)
    try:
        client = redis.Redis.from_url(url, socket_connect_timeout=TIMEOUT_SECONDS, socket_timeout=TIMEOUT_SECONDS)
        with client:
            client.ping()
    except (redis.RedisError, ValueError) as error:
        raise LocalError(
            f"the Redis server of REDIS_URL ({place}) cannot be used: {error}",
            "Start it, correct REDIS_URL (redis://:password@host:port/0), or unset it to let Countersign start one.",
        ) from None
    return place


def _place(url: str, variable: str, schemes: set[str], default_port: int) -> str:
    try:
        parts = urlsplit(url)
        port = parts.port or default_port
    except ValueError:
        parts, port = urlsplit(""), 0
    if parts.scheme not in schemes:
        raise LocalError(
            f"{variable} does not start with one of {', '.join(sorted(f'{scheme}://' for scheme in schemes))}",
            f"Correct {variable}, or unset it to let Countersign start its own server.",
        )
    return f"{parts.hostname or ''}:{port}{parts.path}"
