"""Refuse requests that are larger than anything here takes, before they are read, and say the limit."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.exceptions import DisallowedHost, RequestDataTooBig, TooManyFieldsSent, TooManyFilesSent
from django.core.files.uploadhandler import FileUploadHandler
from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.utils.translation import gettext
from django.views.defaults import bad_request

from webapp.hosts import wrong_host
from webapp.interception.problems import API_PREFIXES, Problem, render_problem

MIB = 1024 * 1024


class FilesTooLarge(RequestDataTooBig):
    """The files of a request are larger than UPLOAD_MAX_SIZE."""


class RefuseTooLarge(FileUploadHandler):
    """Stands before the handlers that store files. Django limits the fields of a form, but not its files."""

    def handle_raw_input(self, input_data: Any, META: Any, content_length: int, *_: Any, **__: Any) -> None:
        if content_length > settings.UPLOAD_MAX_SIZE:
            raise FilesTooLarge("a file in a request exceeds UPLOAD_MAX_SIZE")

    def receive_data_chunk(self, raw_data: bytes, start: int) -> bytes:
        return raw_data

    def file_complete(self, file_size: int) -> None:
        return None


def refused(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Answer a request that can not be read: 413 with the limit when it is too large, else 400 or 421."""
    if isinstance(exception, DisallowedHost):
        return wrong_host(request)
    words = _too_large(exception)
    if words is None:
        return bad_request(request, exception)
    problem = Problem(413, *words)
    if request.path_info.startswith(API_PREFIXES):
        return render_problem(request, problem)
    if request.headers.get("Accept", "").startswith("application/json"):
        return problem.response()
    context = {"what": problem.detail, "advice": problem.hint}
    return HttpResponse(render_to_string("413.html", context), status=413)


def _too_large(error: Exception) -> tuple[str, str] | None:
    """Return what is too large, with the limit, and what to do; None of what is not."""
    if isinstance(error, FilesTooLarge):
        return (
            gettext("The file is larger than %(most)s MiB.") % {"most": settings.UPLOAD_MAX_SIZE // MIB},
            gettext("Divide it and bring it in in parts."),
        )
    if isinstance(error, RequestDataTooBig):
        return (
            gettext("What you filled in is larger than %(most)s MiB.")
            % {"most": settings.DATA_UPLOAD_MAX_MEMORY_SIZE // MIB},
            gettext("Go back, shorten the longest text, and send it again."),
        )
    if isinstance(error, TooManyFieldsSent):
        return (
            gettext("The form has more than %(most)s fields.") % {"most": settings.DATA_UPLOAD_MAX_NUMBER_FIELDS},
            gettext("Go back and choose fewer at once."),
        )
    if isinstance(error, TooManyFilesSent):
        return (
            gettext("These are more than %(most)s files.") % {"most": settings.DATA_UPLOAD_MAX_NUMBER_FILES},
            gettext("Go back and choose fewer at once."),
        )
    return None
