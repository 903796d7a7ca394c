"""API keys and per-project limits."""

from __future__ import annotations

import logging
from functools import lru_cache

import redis
from django.conf import settings
from django.http import HttpRequest
from limits import RateLimitItemPerMinute
from limits.storage import RedisStorage
from limits.strategies import FixedWindowRateLimiter
from ninja.security import HttpBearer

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
        key = (
            ApiKey.objects.filter(sha256=key_digest(token.strip()), revoked_at=None)
            .select_related("application__project")
            .first()
        )
        if key is None:
            raise Problem(401, "The API key is unknown or revoked.", HINT)
        return key.application


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
