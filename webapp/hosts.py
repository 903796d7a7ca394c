"""Tell callers and operators that a request named a host that is not ours: a first start behind a proxy often does."""

from __future__ import annotations

import logging

from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.utils import translation

from webapp.interception.problems import API_PREFIXES, Problem, render_problem
from workers.seldom import Seldom

log = logging.getLogger(__name__)

#: Strangers can name any host, as often as they like.
_refused = Seldom()


def wrong_host(request: HttpRequest) -> HttpResponse:
    """Answer 421 with the setting's name, the API's callers in their form, others by a page; log no host."""
    if count := _refused.due():
        log.warning(
            "refused %d requests for hosts that COUNTERSIGN_ALLOWED_HOSTS does not name; said once a minute."
            " A proxy in front is to pass on the Host header, and the variable to hold its name.",
            count,
        )
    if not request.path_info.startswith(API_PREFIXES):
        # Hosts are looked at before anything asks for the reader's language.
        with translation.override(translation.get_language_from_request(request)):
            return HttpResponse(render_to_string("421.html"), status=421)
    hint = "Ask for a host that COUNTERSIGN_ALLOWED_HOSTS names, or have the operator add this one to it."
    return render_problem(request, Problem(421, "The request is for a host that this server does not answer to.", hint))
