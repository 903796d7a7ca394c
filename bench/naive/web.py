"""The web process: a task, its result, a row."""

from __future__ import annotations

import json
import os

from django.core.wsgi import get_wsgi_application
from django.http import HttpRequest, JsonResponse
from django.urls import path

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "bench.naive.settings")
application = get_wsgi_application()

WAIT_SECONDS = 60


def check(request: HttpRequest) -> JsonResponse:
    """Screen an output and its prompt by one task, store a row, answer."""
    from bench.naive.models import NaiveCheck
    from bench.naive.tasks import screen

    asked = json.loads(request.body)
    prompt = asked["messages"][-1]["content"] if asked.get("messages") else ""
    result = screen.delay(asked["output"], prompt).get(timeout=WAIT_SECONDS)
    row = NaiveCheck(output=asked["output"], prompt=prompt, result=result)
    row.save()
    return JsonResponse({"id": row.pk, "result": result})


urlpatterns = [path("v1/checks", check)]
