"""A project and its application, asking over HTTP; real workers behind Redis."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from django.core.signals import request_started
from django.db import close_old_connections
from django.http import HttpResponse
from django.test import Client
from limits.storage import RedisStorage

from tests.factories import Cast, make_cast
from webapp.celery import app as control
from webapp.interception import auth, screening
from webapp.local.processes import Supervisor
from webapp.wsgi import application


class WebServer(Client):
    """Asks the application that web servers run, which answers some requests itself and hands the rest to Django."""

    def __init__(self) -> None:
        super().__init__(headers={"host": "testserver"}, raise_request_exception=False)
        self.handler = _through_wsgi  # type: ignore[assignment]  # as good as the one of tests


def _through_wsgi(environ: dict[str, Any]) -> HttpResponse:
    started: list[Any] = []
    environ = {**environ, "CONTENT_LENGTH": str(environ.get("CONTENT_LENGTH", ""))}
    # As Django's own handler of tests: closing connections would end the transaction of the test.
    request_started.disconnect(close_old_connections)
    try:
        body = b"".join(application(environ, lambda *of: started.append(of)))
    finally:
        request_started.connect(close_old_connections)
    (status, headers), *_ = started
    response = HttpResponse(body, status=int(status[:3]), headers=dict(headers))
    response.wsgi_request = None  # type: ignore[attr-defined]  # what Django's own handler of tests adds
    return response


class ApiClient:
    """Sends JSON with an API key, to Django or through another client."""

    def __init__(self, key: str, client: Client | None = None) -> None:
        self.key = key
        self._client = client or Client(raise_request_exception=False)

    def post(self, path: str, body: Any, **headers: str) -> HttpResponse:
        raw = body if isinstance(body, bytes) else json.dumps(body).encode()
        response: HttpResponse = self._client.generic(
            "POST", path, raw, content_type="application/json", headers=self._headers(headers)
        )  # type: ignore[assignment]  # the stubs have a type of their own for it
        return response

    def get(self, path: str) -> HttpResponse:
        response: HttpResponse = self._client.get(path, headers=self._headers({}))  # type: ignore[assignment]
        return response

    def check(self, output: str, **fields: Any) -> dict[str, Any]:
        response = self.post("/v1/checks", {"output": output, **fields})
        assert response.status_code == 200, response.content
        answer: dict[str, Any] = json.loads(response.content)
        return answer

    def _headers(self, more: dict[str, str]) -> dict[str, str]:
        named = {name.replace("_", "-"): value for name, value in more.items()}
        return {**({"Authorization": f"Bearer {self.key}"} if self.key else {}), **named}


@pytest.fixture(scope="session", autouse=True)
def _connections() -> Iterator[None]:
    """Close at the end what a web process keeps for as long as it lives."""
    yield
    if screening._client is not None:
        screening._client.close()
    control.close()
    if auth._limiter.cache_info().currsize:
        storage = auth._limiter().storage
        assert isinstance(storage, RedisStorage)
        storage.storage.close()


@pytest.fixture
def cast(db: None) -> Cast:
    return make_cast()


@pytest.fixture(params=["django", "web server"])
def both_doors(request: pytest.FixtureRequest, cast: Cast, screen_workers: Supervisor) -> ApiClient:
    """Run the test twice: on Django alone, and on what web servers run."""
    return ApiClient(cast.api_key, WebServer() if request.param == "web server" else None)


@pytest.fixture
def api(cast: Cast, screen_workers: Supervisor) -> ApiClient:
    return ApiClient(cast.api_key)
