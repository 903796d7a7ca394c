"""The web server's application with one address more, which tells what the process has loaded."""

from __future__ import annotations

import importlib.util
import json
import sys
from collections.abc import Iterable
from typing import TYPE_CHECKING

from webapp.wsgi import application as countersign

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

PROBE = "/probe-of-the-process"


def application(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    if environ["PATH_INFO"] != PROBE:
        return countersign(environ, start_response)
    spec = importlib.util.find_spec("guardrails")
    found = {"modules": sorted(sys.modules), "guardrails": spec and spec.origin}
    start_response("200 OK", [("Content-Type", "application/json")])
    return [json.dumps(found).encode()]
