"""How long a web process waits for the database, and what a person reads when that was too long.

Only web processes have these limits: control workers, commands and migrations take as long as they need.
"""

from __future__ import annotations

import functools
import logging
import re
from collections.abc import Callable
from typing import Any, ParamSpec, TypeVar

from django.db import InterfaceError, OperationalError, connection
from django.http import HttpRequest, HttpResponse, HttpResponseBase, JsonResponse
from django.template.loader import render_to_string
from django.utils.translation import gettext
from psycopg.errors import LockNotAvailable, QueryCanceled, ReadOnlySqlTransaction

P = ParamSpec("P")
R = TypeVar("R", bound=HttpResponseBase)
log = logging.getLogger(__name__)

LOCK_SECONDS, STATEMENT_SECONDS = 5, 30
RETRY_AFTER = 5
_TOO_LONG = {LockNotAvailable.sqlstate, QueryCanceled.sqlstate}
#: What libpq, psycopg and PostgreSQL in English say of a connection that fails; it comes without a code.
_CONNECTING = {
    "wrong user or password": re.compile(
        r'password authentication failed|no password supplied|no pg_hba\.conf entry|role ".*" does not exist'
    ),
    "unknown database": re.compile(r'database ".*" does not exist'),
    "too many connections": re.compile(r"too many clients|remaining connection slots|too many connections"),
    "the host's name is unknown": re.compile(r"failed to resolve host|could not translate host name"),
    "connection refused": re.compile(r"Connection refused"),
    "connection timed out": re.compile(r"timeout expired|[Tt]imed out"),
}
_OPTIONS = f"-c lock_timeout={LOCK_SECONDS}s -c statement_timeout={STATEMENT_SECONDS}s"


def limit_waits(databases: dict[str, Any]) -> None:
    """Give every connection of this process the limits; call it before the first connection is made."""
    options = databases["default"].setdefault("OPTIONS", {})
    options["options"] = f"{options.get('options', '')} {_OPTIONS}".strip()


def takes_long(view: Callable[P, R]) -> Callable[P, R]:
    """Let the statements of a view that makes a report take as long as they need; locks still have their limit."""

    @functools.wraps(view)
    def unlimited(*args: P.args, **kwargs: P.kwargs) -> R:
        with connection.cursor() as cursor:
            cursor.execute("SET statement_timeout = 0")
        try:
            return view(*args, **kwargs)
        finally:
            if connection.is_usable():
                with connection.cursor() as cursor:
                    cursor.execute("RESET statement_timeout")

    return unlimited


class SayWhenToComeBack:
    """Answer 503 with Retry-After where the database did not answer in time, in the form that the console retries.

    So it does where the database only reads.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        if not database_is_away(error):
            return None
        log.error("%s %s: the database said %s", request.method, request.path_info, code_of(error))
        if request.headers.get("Accept", "").startswith("application/json"):
            message = gettext("The database is busy or does not answer. Nothing was changed.")
            response: HttpResponse = JsonResponse({"status": "failed", "message": message}, status=503)
        else:
            # Without the request: its user and project are in the database.
            response = HttpResponse(render_to_string("503.html", {"seconds": RETRY_AFTER}), status=503)
        response["Retry-After"] = str(RETRY_AFTER)
        return response


def database_is_away(error: Exception) -> bool:
    """Return whether the database does not answer, or takes no writes, as in the middle of a failover."""
    return isinstance(error, OperationalError | InterfaceError) or code_of(error) == ReadOnlySqlTransaction.sqlstate


def waited_too_long(error: Exception) -> bool:
    """Return whether a limit on locks or statements ended the wait: whoever asks the same again waits as long again."""
    return code_of(error) in _TOO_LONG


def code_of(error: Exception) -> str:
    """Return what a log may say of an exception of the database, whose message may quote what was stored.

    PostgreSQL's code, or where there is none, as while connecting, the exception's type and the kind of failure.
    """
    if code := getattr(error.__cause__, "sqlstate", None):
        return str(code)
    kind = next((kind for kind, sign in _CONNECTING.items() if sign.search(str(error))), "")
    return f"{type(error).__name__}: {kind}" if kind else type(error).__name__
