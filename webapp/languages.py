"""Which language a request is answered in."""

from __future__ import annotations

from collections.abc import Callable

from django.conf import settings
from django.db import InterfaceError, OperationalError
from django.http import Http404, HttpRequest
from django.http.response import HttpResponseBase
from django.utils import translation
from django.utils.cache import patch_vary_headers
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_safe
from django.views.i18n import JavaScriptCatalog

from webapp.interception.problems import API_PREFIXES

#: Read by programs, which are answered in English; asking who is signed in would also need the database.
FOR_PROGRAMS = (*API_PREFIXES, "/healthz", "/readyz", "/texts/")


class SpeakReadersLanguage:
    """Answer in the language that the person has chosen, else in one that the browser asks for, else in English."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if request.path_info.startswith(FOR_PROGRAMS):
            with translation.override(settings.LANGUAGE_CODE):
                return self.get_response(request)
        language = _language_of(request)
        with translation.override(language):
            response = self.get_response(request)
        response.headers.setdefault("Content-Language", language)
        patch_vary_headers(response, ["Accept-Language"])
        return response


@require_safe
@cache_control(public=True, max_age=3600)
def script_texts(request: HttpRequest, language: str) -> HttpResponseBase:
    """Return the catalogue of scripts in a language, as a script; static/js/texts.js reads it."""
    if language not in dict(settings.LANGUAGES):
        raise Http404("No such language.")
    with translation.override(language):
        return JavaScriptCatalog.as_view(packages=["webapp"])(request)


def _language_of(request: HttpRequest) -> str:
    try:
        chosen = request.user.language if request.user.is_authenticated else ""
    except (OperationalError, InterfaceError):
        chosen = ""  # whoever needs the database says that it is away
    return chosen if chosen in dict(settings.LANGUAGES) else translation.get_language_from_request(request)
