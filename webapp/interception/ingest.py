"""`POST /v1/checks` beside Django, in the same process: the same functions without its middleware and routing.

Django's handler, its middleware and ninja cost more than all the rest of a check that is not waiting. What this does
not take, it hands to Django: other addresses, hosts that are not ours, plain HTTP where TLS is asked for, bodies of
unknown length.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable
from typing import Any

from django.conf import settings
from django.db import close_old_connections, connection
from django.http import HttpResponse
from django.http.request import split_domain_port, validate_host
from pydantic import ValidationError

from webapp.interception.auth import application_of, bearer_token, no_key
from webapp.interception.bodies import parse_json
from webapp.interception.doors import answer_check, malformed
from webapp.interception.problems import problem_of, require_size
from webapp.interception.schemas import CheckRequest
from webapp.interception.stages import begin, server_timing, stage

Environ = dict[str, Any]
StartResponse = Callable[..., Any]
Wsgi = Callable[[Environ, StartResponse], Iterable[bytes]]

PATH = "/v1/checks"
#: A connection that was idle for longer is tried before it is used.
IDLE_SECONDS = 1.0


class _Last(threading.local):
    """When this thread last used its connection to the database, in monotonic seconds."""

    used = 0.0


_last = _Last()


def beside(django: Wsgi) -> Wsgi:
    """Return the application that answers checks itself and leaves the rest to `django`."""

    def application(request: Environ, start_response: StartResponse) -> Iterable[bytes]:
        if not _takes(request):
            return django(request, start_response)
        response = _answer(request)
        headers = [*response.items(), *_headers(), ("Content-Length", str(len(response.content)))]
        start_response(f"{response.status_code} {response.reason_phrase}", headers)
        return [response.content]

    return application


def _takes(request: Environ) -> bool:
    if request["PATH_INFO"] != PATH or request["REQUEST_METHOD"] != "POST":
        return False
    if not request.get("CONTENT_LENGTH", "").isdecimal():
        return False
    domain, _ = split_domain_port(request.get("HTTP_HOST", ""))
    return bool(domain) and validate_host(domain, settings.ALLOWED_HOSTS) and _is_safe(request)


def _is_safe(request: Environ) -> bool:
    """Return whether Django would not send the caller to the https address."""
    if not settings.SECURE_SSL_REDIRECT:
        return True
    name, value = settings.SECURE_PROXY_SSL_HEADER or ("", "")
    return bool(request["wsgi.url_scheme"] == "https" or (name and request.get(name) == value))


def _answer(request: Environ) -> HttpResponse:
    begin()
    _refresh_connection()
    try:
        with stage("total"):
            response = _check(request)
    except Exception as error:  # noqa: BLE001 - as Django's handler: whatever it is, the caller gets an answer
        return problem_of(error, "POST", PATH).response()
    finally:
        _last.used = time.monotonic()
    response["Server-Timing"] = server_timing()
    return response


def _check(request: Environ) -> HttpResponse:
    size = int(request["CONTENT_LENGTH"])
    require_size(size)
    token = bearer_token(request.get("HTTP_AUTHORIZATION"))
    if token is None:
        raise no_key()
    with stage("auth"):
        application = application_of(token)
    with stage("read"):
        body = parse_json(request["wsgi.input"].read(size))
        try:
            wanted = CheckRequest.model_validate(body)
        except ValidationError as error:
            raise malformed(error.errors(include_input=False, include_url=False)) from None  # type: ignore[arg-type]
    return answer_check(application, wanted, request.get("HTTP_IDEMPOTENCY_KEY"), request.get("HTTP_PREFER"))


def _headers() -> list[tuple[str, str]]:
    headers = [("X-Content-Type-Options", "nosniff")]
    if settings.SECURE_HSTS_SECONDS:
        headers.append(("Strict-Transport-Security", f"max-age={settings.SECURE_HSTS_SECONDS}"))
    return headers


def _refresh_connection() -> None:
    """Close this thread's database connection if it is broken or old.

    Django does it before each request, and pays with a query for each; a connection that answered a moment ago is fine.
    """
    if connection.in_atomic_block:
        return  # somebody else's transaction, as in tests
    if connection.errors_occurred or time.monotonic() - _last.used > IDLE_SECONDS:
        close_old_connections()
