"""A project and its application, asking over HTTP; real workers behind Redis."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

import pytest
from django.http import HttpResponse
from django.test import Client

from tests.factories import Cast, make_cast
from webapp.asgi import application
from webapp.celery import app as control
from webapp.interception import auth, screening
from webapp.local.processes import Supervisor
from workers.client import ScreenClient

T = TypeVar("T")


class WebServer(Client):
    """Asks the application that web servers run, which answers some requests itself and hands the rest to Django."""

    def __init__(self) -> None:
        super().__init__(headers={"host": "testserver"}, raise_request_exception=False)
        self.handler = _through_asgi  # type: ignore[assignment]  # as good as the one of tests


def _through_asgi(environ: dict[str, Any]) -> HttpResponse:
    named = {name[5:]: value for name, value in environ.items() if name.startswith("HTTP_")}
    named |= {name: str(environ[name]) for name in ("CONTENT_LENGTH", "CONTENT_TYPE") if name in environ}
    scope = {
        "type": "http",
        "http_version": "1.1",
        "method": environ["REQUEST_METHOD"],
        "scheme": environ["wsgi.url_scheme"],
        "path": environ["PATH_INFO"],
        "query_string": environ["QUERY_STRING"].encode(),
        "headers": [(name.replace("_", "-").lower().encode(), value.encode("latin1")) for name, value in named.items()],
        "client": ("127.0.0.1", 1),
        "server": ("testserver", 80),
    }
    start, *parts = in_a_loop(asgi_messages(scope, environ["wsgi.input"].read()))
    headers = {name.decode(): value.decode("latin1") for name, value in start["headers"]}
    response = HttpResponse(b"".join(part["body"] for part in parts), status=start["status"], headers=headers)
    response.wsgi_request = None  # type: ignore[attr-defined]  # what Django's own handler of tests adds
    return response


def in_a_loop(coroutine: Coroutine[Any, Any, T]) -> T:
    """Return what `coroutine` does, run on a thread: a browser that other tests drive may hold this one's loop."""
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(asyncio.run, coroutine).result()


async def asgi_messages(scope: dict[str, Any], *body: bytes, whole: bool = True) -> list[Any]:
    """Return what the application sends to a caller who sends `body` part by part; unless `whole`, he hangs up then."""
    sent: list[Any] = []
    more = [True] * (len(body) - 1) + [not whole]
    parts = [{"type": "http.request", "body": part, "more_body": on} for part, on in zip(body, more, strict=True)]
    coming = iter(parts)

    async def receive() -> Any:
        return next(coming, {"type": "http.disconnect"})

    async def send(message: Any) -> None:
        sent.append(message)

    await application(scope, receive, send)
    return sent


def scope_of(key: str, body: bytes, **headers: str) -> dict[str, Any]:
    """Return the ASGI scope of a check that `key` asks for with `body`."""
    named = {"host": "testserver", "content-type": "application/json", "content-length": str(len(body)), **headers}
    named["authorization"] = f"Bearer {key}"
    return {
        "type": "http",
        "http_version": "1.1",
        "method": "POST",
        "scheme": "http",
        "path": "/v1/checks",
        "query_string": b"",
        "headers": [(name.replace("_", "-").encode(), value.encode()) for name, value in named.items()],
    }


class ApiClient:
    """Sends JSON with an API key, to Django or through another client."""

    def __init__(self, key: str, client: Client | None = None) -> None:
        self.key = key
        self._client = client or Client(raise_request_exception=False)

    def post(self, path: str, body: Any, **headers: str) -> HttpResponse:
        return self.ask("POST", path, body if isinstance(body, bytes) else json.dumps(body).encode(), **headers)

    def ask(self, method: str, path: str, raw: bytes = b"", **headers: str) -> HttpResponse:
        response: HttpResponse = self._client.generic(
            method, path, raw, content_type="application/json", headers=self._headers(headers)
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
    if auth._counter.cache_info().currsize:
        auth._counter().storage.storage.close()


@pytest.fixture
def use_broker(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str], None]]:
    """Return a function that makes this process talk to another broker for the length of a test."""
    clients: list[ScreenClient] = []

    def use(url: str) -> None:
        clients.append(ScreenClient(url))
        monkeypatch.setattr(screening, "_client", clients[-1])

    yield use
    for client in clients:
        client.close()


@pytest.fixture
def cast(db: None) -> Cast:
    return make_cast()


#: Web servers answer on threads of their own, which see only what is committed.
IN_THREADS = pytest.mark.django_db(transaction=True)


@pytest.fixture(params=["django", pytest.param("web server", marks=IN_THREADS)])
def both_doors(request: pytest.FixtureRequest, cast: Cast, screen_workers: Supervisor) -> ApiClient:
    """Run the test twice: on Django alone, and on what web servers run."""
    return ApiClient(cast.api_key, WebServer() if request.param == "web server" else None)


@pytest.fixture
def api(cast: Cast, screen_workers: Supervisor) -> ApiClient:
    return ApiClient(cast.api_key)
