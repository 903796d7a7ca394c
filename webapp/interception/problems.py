"""Answers for callers who did something wrong: application/problem+json (RFC 9457) with a hint.

Problem              any of them; status, title, detail, hint
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse, UnreadablePostError

from webapp.waits import code_of, database_is_away
from workers.quiet_logs import quiet_trace

log = logging.getLogger(__name__)

API_PREFIXES = ("/v1/", "/openai/")

TITLES = {
    400: "Malformed request",
    401: "No valid API key",
    403: "Not allowed",
    404: "Not found",
    405: "Method not allowed",
    409: "Conflict",
    413: "Too large",
    421: "Not a host of this server",
    422: "Invalid policy",
    429: "Too many requests",
    500: "Internal error",
    503: "Not available now",
}


class Problem(Exception):
    """A refused request. `errors`: [{"path", "message"}] for each faulty field."""

    def __init__(
        self,
        status: int,
        detail: str,
        hint: str,
        *,
        retry_after: int | None = None,
        errors: list[dict[str, str]] | None = None,
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail
        self.hint = hint
        self.retry_after = retry_after
        self.errors = errors

    def as_dict(self) -> dict[str, Any]:
        problem: dict[str, Any] = {
            "type": "about:blank",
            "title": TITLES[self.status],
            "status": self.status,
            "detail": self.detail,
            "hint": self.hint,
        }
        if self.errors:
            problem["errors"] = self.errors
        return problem

    def response(self) -> HttpResponse:
        response = JsonResponse(self.as_dict(), status=self.status, content_type="application/problem+json")
        if self.retry_after is not None:
            response["Retry-After"] = str(self.retry_after)
        if self.status == 401:
            response["WWW-Authenticate"] = 'Bearer realm="countersign"'
        return response

    def openai_response(self) -> HttpResponse:
        """Return the same in the form that OpenAI's clients read."""
        kind = "invalid_request_error" if self.status < 500 else "server_error"
        error = {"message": f"{self.detail} {self.hint}", "type": kind, "param": None, "code": None}
        if self.errors:
            # The form has a place for one fault, and none for a list of them.
            path, message = self.errors[0]["path"], self.errors[0]["message"]
            where = f"`{path}`: " if path else ""
            error |= {"message": f"{self.detail} {where}{message}. See /openai/v1/openapi.json.", "param": path or None}
        response = JsonResponse({"error": error}, status=self.status)
        if self.retry_after is not None:
            response["Retry-After"] = str(self.retry_after)
        return response


class ApiMiddleware:
    """Refuse bodies that are too large before they are read, and give every error of the API its JSON form."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if not request.path_info.startswith(API_PREFIXES):
            return self.get_response(request)
        try:
            size = int(request.META.get("CONTENT_LENGTH") or 0)
        except ValueError:
            size = 0
        try:
            require_size(size)
        except Problem as too_large:
            return render_problem(request, too_large)
        response = self.get_response(request)
        if response.status_code in (404, 405) and not response.headers["Content-Type"].startswith("application/"):
            problem = Problem(response.status_code, "There is nothing here.", "See /v1/docs for the API's addresses.")
            rendered = render_problem(request, problem)
            if "Allow" in response:  # RFC 9110: a 405 says which methods there are
                rendered["Allow"] = ", ".join(sorted(response["Allow"].split(", ")))
            return rendered
        return response

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        if not request.path_info.startswith(API_PREFIXES):
            return None
        return render_problem(request, problem_of(error, request.method or "", request.path_info))


def require_size(size: int) -> None:
    """Raise Problem 413 when a body of `size` bytes is too large to be read."""
    if size > settings.MAX_BODY_BYTES:
        limit = settings.MAX_BODY_BYTES // 1024
        raise Problem(413, f"The body is larger than {limit} KiB.", "Split the text or send a smaller batch.")


def no_database(path: str) -> Problem:
    """Return what a caller is told while the database does not answer."""
    hint = "Try again after Retry-After seconds."
    if not path.startswith("/openai/"):  # whose contract has no such key
        hint = "Try again after Retry-After seconds, with the same Idempotency-Key."
    return Problem(503, "The database does not answer.", hint, retry_after=2)


def problem_of(error: Exception, method: str, path: str) -> Problem:
    """Return what a caller is told of an exception; what is no caller's mistake is logged, without its message."""
    if isinstance(error, Problem):
        return error
    if database_is_away(error):
        log.error("%s %s: the database said %s", method, path, code_of(error))
        return no_database(path)
    if isinstance(error, UnreadablePostError):
        return Problem(400, "The body ended before its end.", "Send it again.")
    log.error("%s %s failed: %s\n%s", method, path, type(error).__name__, quiet_trace(error))
    return Problem(500, "The server failed; nothing was accepted.", "Try again; tell the operator if it stays.")


def render_problem(request: HttpRequest, problem: Problem) -> HttpResponse:
    return problem.openai_response() if request.path_info.startswith("/openai/") else problem.response()


class QuietFormatter(logging.Formatter):
    """Formats tracebacks without the exceptions' messages, which may quote what people wrote."""

    def formatException(self, ei: Any) -> str:
        kind, error, _ = ei
        return f"{quiet_trace(error)}{kind.__name__}" if error else ""
