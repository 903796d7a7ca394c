"""API keys and per-project limits."""

from __future__ import annotations

import logging
from functools import lru_cache
from typing import Any

import redis
from django.conf import settings
from django.db import connection
from django.http import HttpRequest
from limits import RateLimitItemPerMinute
from limits.storage import RedisStorage
from limits.strategies import FixedWindowRateLimiter
from ninja.security import HttpBearer

from policies.models import Policy
from webapp.accounts.models import ApiKey, Application, Project
from webapp.accounts.services import key_digest
from webapp.interception.problems import Problem

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
    """Return the application whose key this is, with its project and what that screens by default. Raises Problem 401.

    Keys are asked for anew each time, so that a revoked one stops working at once; the statement is written out because
    every request runs it.
    """
    with connection.cursor() as cursor:
        cursor.execute(_CALLER, [key_digest(token.strip())])
        row = cursor.fetchone()
    if row is None:
        raise Problem(401, "The API key is unknown or revoked.", HINT)
    cut, end = len(_APPLICATION), len(_APPLICATION) + len(_PROJECT)
    application = Application.from_db(connection.alias, [field.attname for field in _APPLICATION], row[:cut])
    application.project = Project.from_db(connection.alias, [field.attname for field in _PROJECT], row[cut:end])
    application.project.default_version_id = row[end]
    return application


def _columns(table: str, fields: list[Any]) -> str:
    return ", ".join(f'{table}."{field.column}"' for field in fields)


_APPLICATION = list(Application._meta.concrete_fields)
_PROJECT = list(Project._meta.concrete_fields)
_CALLER = (
    f"SELECT {_columns('application', _APPLICATION)}, {_columns('project', _PROJECT)}, policy.active_version_id"  # noqa: S608 - names of ours
    f' FROM "{ApiKey._meta.db_table}" AS key'
    f' JOIN "{Application._meta.db_table}" AS application ON application.id = key.application_id'
    f' JOIN "{Project._meta.db_table}" AS project ON project.id = application.project_id'
    f' LEFT JOIN "{Policy._meta.db_table}" AS policy'
    " ON policy.project_id = project.id AND policy.name = project.default_policy"
    " WHERE key.sha256 = %s AND key.revoked_at IS NULL"
)


def no_key() -> Problem:
    return Problem(401, "The request carries no API key.", HINT)


def spend(project: Project, cost: int = 1) -> None:
    """Count `cost` checks against the project's limit. Raises Problem 429."""
    item = RateLimitItemPerMinute(project.requests_per_minute)
    try:
        allowed = _limiter().hit(item, str(project.id), cost=cost)
    except redis.RedisError:
        # The limit protects the workers, and without Redis none is reached.
        log.warning("Redis does not answer; limits are not counted")
        return
    if not allowed:
        raise Problem(
            429,
            f"The project's limit of {project.requests_per_minute} checks a minute is reached.",
            "Wait, or ask an owner to raise it in the project's settings.",
            retry_after=60,
        )


@lru_cache(maxsize=1)
def _limiter() -> FixedWindowRateLimiter:
    return FixedWindowRateLimiter(RedisStorage(settings.REDIS_URL, socket_timeout=1.0, wrap_exceptions=False))
