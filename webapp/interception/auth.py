"""API keys and per-project limits."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any, NamedTuple

import redis
from django.conf import settings
from django.db import connection
from django.http import HttpRequest
from limits import RateLimitItemPerMinute
from limits.storage import RedisStorage
from ninja.security import HttpBearer

from policies.models import Policy
from webapp.accounts.models import ApiKey, Application, Project
from webapp.accounts.services import key_digest
from webapp.interception.problems import Problem
from webapp.interception.screening import client
from webapp.prepared import prepared_cursor
from workers.client import PATIENCE

log = logging.getLogger(__name__)

HINT = "Send `Authorization: Bearer <API key>`; an owner makes keys on the Applications page."


class ApiRequest(HttpRequest):
    """A request whose key was good: `auth` is the application."""

    auth: Application


class ApiKeyAuth(HttpBearer):
    """`Authorization: Bearer <API key>`."""

    def authenticate(self, request: HttpRequest, token: str) -> Application:
        """Return the application whose key this is. Raises Problem 401."""
        return application_of(token)


def bearer_token(header: str | None) -> str | None:
    """Return the token of an Authorization header, None when it has none."""
    scheme, _, token = (header or "").partition(" ")
    return token if scheme.lower() == "bearer" else None


def application_of(token: str) -> Application:
    """Return the application whose key this is, as `callers` does. Raises Problem 401."""
    application = callers([token]).get(token)
    if application is None:
        raise unknown_key()
    return application


def callers(tokens: Sequence[str]) -> dict[str, Application]:
    """Return the applications of keys, each with its project and what that screens by default; unknown keys have none.

    Keys are asked for anew each time, so that a revoked one stops working at once; the statement is written out because
    every request runs it.
    """
    digests = {token: key_digest(token.strip()) for token in tokens}
    with prepared_cursor() as cursor:
        cursor.execute(_CALLERS, [list(digests.values())])
        found = {row[0]: _application(row[1:]) for row in cursor.fetchall()}
    return {token: found[digest] for token, digest in digests.items() if digest in found}


def _application(row: tuple[Any, ...]) -> Application:
    cut, end = len(_APPLICATION), len(_APPLICATION) + len(_PROJECT)
    application = Application.from_db(connection.alias, [field.attname for field in _APPLICATION], row[:cut])
    application.project = Project.from_db(connection.alias, [field.attname for field in _PROJECT], row[cut:end])
    application.project.default_version_id = row[end]
    return application


def _columns(table: str, fields: list[Any]) -> str:
    return ", ".join(f'{table}."{field.column}"' for field in fields)


_APPLICATION = list(Application._meta.concrete_fields)
_PROJECT = list(Project._meta.concrete_fields)
_CALLERS = (
    f"SELECT key.sha256, {_columns('application', _APPLICATION)}, {_columns('project', _PROJECT)},"  # noqa: S608 - names of ours
    " policy.active_version_id"
    f' FROM "{ApiKey._meta.db_table}" AS key'
    f' JOIN "{Application._meta.db_table}" AS application ON application.id = key.application_id'
    f' JOIN "{Project._meta.db_table}" AS project ON project.id = application.project_id'
    f' LEFT JOIN "{Policy._meta.db_table}" AS policy'
    " ON policy.project_id = project.id AND policy.name = project.default_policy"
    " WHERE key.sha256 = ANY(%s) AND key.revoked_at IS NULL"
)


def no_key() -> Problem:
    return Problem(401, "The request carries no API key.", HINT)


def unknown_key() -> Problem:
    return Problem(401, "The API key is unknown or revoked.", HINT)


def spend(project: Project, cost: int = 1) -> None:
    """Count `cost` checks against the project's limit, or none. Raises Problem 429; 413 if no minute has so many."""
    if cost > project.requests_per_minute:
        raise Problem(
            413,
            f"{cost} checks at once are more than the project's limit of {project.requests_per_minute} a minute.",
            "Split the batch, or ask an owner to raise the limit in the project's settings.",
        )
    if _take(project, cost, least=cost) < cost:
        raise over_limit(project)


def within_limit(project: Project, count: int) -> int:
    """Count up to `count` checks of one each against the project's limit, and return how many it allows."""
    return _take(project, count, least=1)


def over_limit(project: Project) -> Problem:
    return Problem(
        429,
        f"The project's limit of {project.requests_per_minute} checks a minute is reached.",
        "Wait, send fewer at once, or ask an owner to raise it in the project's settings.",
        retry_after=60,
    )


def _take(project: Project, most: int, least: int) -> int:
    """Count as many checks as the limit has left, `most` at most, and return them; fewer than `least` are none."""
    if client().left_alone():
        return most
    counter, item = _counter(), RateLimitItemPerMinute(project.requests_per_minute)
    try:
        key = counter.storage.prefixed_key(item.key_for(str(project.id)))
        return int(counter.take([key], [item.amount, item.get_expiry(), most, least]))
    except redis.RedisError as error:
        # The limit protects the workers, and without Redis none is reached.
        log.warning("Redis does not answer (%s); limits are not counted", type(error).__name__)
        if isinstance(error, redis.TimeoutError):
            # Neither the next project nor this check on its way to the workers is to wait for the same silence.
            client().leave_alone()
        return most


#: Looks and counts in one: what is refused costs nothing, and two at a time do not both get what is left.
_TAKE = b"""
local limit, seconds, most, least = tonumber(ARGV[1]), ARGV[2], tonumber(ARGV[3]), tonumber(ARGV[4])
local used = tonumber(redis.call("get", KEYS[1]) or "0")
local taken = math.min(most, limit - used)
if taken < least then
    return 0
end
redis.call("incrby", KEYS[1], taken)
if used == 0 then
    redis.call("expire", KEYS[1], seconds)
end
return taken
"""


class _Counter(NamedTuple):
    storage: RedisStorage
    take: Callable[..., Any]


@lru_cache(maxsize=1)
def _counter() -> _Counter:
    storage = RedisStorage(settings.REDIS_URL, wrap_exceptions=False, **PATIENCE)
    return _Counter(storage, storage.get_connection().register_script(_TAKE))
