"""Answer probes whatever host they name: load balancers and Kubernetes ask for the address of the machine."""

from __future__ import annotations

from collections.abc import Callable

from django.http import HttpRequest, HttpResponseBase

from webapp.monitoring.views import healthz, readyz

PROBES: dict[str, Callable[[HttpRequest], HttpResponseBase]] = {"/healthz": healthz, "/readyz": readyz}


class AnswerProbes:
    """Answer `/healthz` and `/readyz` before anything looks at the host: their answers have nothing of it."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        return PROBES.get(request.path_info, self.get_response)(request)
