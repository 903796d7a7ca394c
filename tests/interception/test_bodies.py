"""Bodies that come in parts, slowly, or not whole, at the door beside Django and at Django's."""

from __future__ import annotations

import asyncio
import json
from collections import deque
from typing import Any
from unittest.mock import patch

import pytest
from pytest_django import Settings

from tests.factories import Cast
from tests.interception.conftest import IN_THREADS, asgi_messages, in_a_loop, scope_of
from webapp.asgi import THREADS, application
from webapp.interception import ingest
from webapp.interception.models import Check
from webapp.local.processes import Supervisor

pytestmark = IN_THREADS


def test_a_body_may_come_in_parts(cast: Cast, screen_workers: Supervisor) -> None:
    body = json.dumps({"output": "fine"}).encode()
    start, answer = in_a_loop(asgi_messages(scope_of(cast.api_key, body), body[:5], body[5:]))
    assert (start["status"], json.loads(answer["body"])["verdict"]) == (200, "allow")


def without_length(scope: dict[str, Any], **others: Any) -> dict[str, Any]:
    """Return what a server makes of `Transfer-Encoding: chunked`."""
    headers = [pair for pair in scope["headers"] if pair[0] != b"content-length"]
    return {**scope, "headers": [*headers, (b"transfer-encoding", b"chunked")], **others}


@pytest.mark.parametrize("path", ["/v1/checks", "/v1/checks/batch"])
def test_a_body_may_come_without_its_length(cast: Cast, screen_workers: Supervisor, path: str) -> None:
    check = {"output": "mail ann@example.com"}
    body = json.dumps(check if path == "/v1/checks" else {"checks": [check]}).encode()
    scope = without_length(scope_of(cast.api_key, body), path=path)
    start, *parts = in_a_loop(asgi_messages(scope, body[:5], body[5:]))
    answer = json.loads(b"".join(part["body"] for part in parts))
    assert start["status"] == 200
    assert (answer if path == "/v1/checks" else answer["results"][0])["verdict"] == "redact"


def test_too_much_without_its_length_is_refused(cast: Cast, settings: Settings) -> None:
    settings.MAX_BODY_BYTES = 100
    body = json.dumps({"output": "x" * 200}).encode()
    start, answer = in_a_loop(asgi_messages(without_length(scope_of(cast.api_key, body)), body[:150], body[150:]))
    assert (start["status"], json.loads(answer["body"])["status"]) == (413, 413)


def test_half_a_body_without_its_length_is_none(cast: Cast) -> None:
    body = json.dumps({"output": "fine"}).encode()
    messages = in_a_loop(asgi_messages(without_length(scope_of(cast.api_key, body)), body[:5], whole=False))
    assert [message["status"] for message in messages if "status" in message] in ([], [400])
    assert not Check.objects.exists()


@pytest.mark.parametrize("path", ["/v1/checks", "/v1/checks/batch"])
def test_half_a_body_is_none(cast: Cast, path: str) -> None:
    body = json.dumps({"output": "fine"}).encode()
    messages = in_a_loop(asgi_messages({**scope_of(cast.api_key, body), "path": path}, body[:5], whole=False))
    assert [message["status"] for message in messages if "status" in message] in ([], [400])
    assert not Check.objects.exists()


@pytest.mark.parametrize("path", ["/v1/checks", "/v1/checks/batch"])
def test_who_falls_silent_in_a_body_is_gone(cast: Cast, monkeypatch: pytest.MonkeyPatch, path: str) -> None:
    monkeypatch.setattr(ingest, "PART_SECONDS", 0.05)
    body = json.dumps({"output": "fine"}).encode()
    statuses: list[int] = []

    async def receive() -> Any:
        await asyncio.Event().wait()

    async def send(message: Any) -> None:
        statuses.extend([message["status"]] if "status" in message else [])

    async def ask() -> None:
        await application({**scope_of(cast.api_key, body), "path": path}, receive, send)

    in_a_loop(ask())
    assert statuses == [400]


async def ask_slowly(scope: dict[str, Any], parts: list[bytes], seconds: float) -> list[Any]:
    """Send a body whose every part takes so many seconds of a clock that nobody waits for, and return the messages."""
    sent: list[Any] = []
    now, coming = 0.0, deque(parts)

    async def receive() -> Any:
        nonlocal now
        now += seconds
        await asyncio.sleep(0)  # as a server does: who waits can be told that it was too long
        return {"type": "http.request", "body": coming.popleft(), "more_body": bool(coming)}

    async def send(message: Any) -> None:
        sent.append(message)

    with patch.object(ingest, "monotonic", lambda: now):
        await application(scope, receive, send)
    return sent


@pytest.mark.parametrize("path", ["/v1/checks", "/v1/checks/batch"])
def test_who_sends_a_byte_now_and_then_is_gone(cast: Cast, path: str) -> None:
    body = json.dumps({"output": "fine", "checks": []}).encode()
    scope = {**scope_of(cast.api_key, body), "path": path}
    parts = [body[place : place + 1] for place in range(len(body))]
    start, *answer = in_a_loop(ask_slowly(scope, parts, 29.0))
    detail = json.loads(b"".join(part["body"] for part in answer))["detail"]
    assert (start["status"], detail) == (400, "The body ended before its end.")


@pytest.mark.parametrize("path", ["/v1/checks", "/v1/checks/batch"])
def test_a_large_body_may_take_its_time(cast: Cast, screen_workers: Supervisor, path: str) -> None:
    check = {"output": "fine", "metadata": {"a": "x" * 1_000_000}}
    body = json.dumps(check if path == "/v1/checks" else {"checks": [check]}).encode()
    parts = [body[start : start + 65_536] for start in range(0, len(body), 65_536)]
    seconds = 65_536 / ingest.SLOWEST
    assert seconds * len(parts) > ingest.PART_SECONDS
    messages = in_a_loop(ask_slowly({**scope_of(cast.api_key, body), "path": path}, parts, seconds))
    assert messages[0]["status"] == 200


def test_who_sends_slowly_holds_no_thread(cast: Cast) -> None:
    form = {"content-type": "application/x-www-form-urlencoded", "cookie": f"csrftoken={'a' * 32}"}
    scope = {**scope_of(cast.api_key, b"x" * 9, **form), "path": "/accounts/login/"}

    async def all_of_them() -> list[Any]:
        silent, gone = asyncio.Semaphore(0), asyncio.Event()

        async def slow() -> None:
            first = [{"type": "http.request", "body": b"x", "more_body": True}]

            async def receive() -> Any:
                if first:
                    return first.pop()
                silent.release()
                await gone.wait()
                return {"type": "http.disconnect"}

            async def send(_: Any) -> None:
                pass

            await application(scope, receive, send)

        tasks = [asyncio.create_task(slow()) for _ in range(THREADS)]
        try:
            async with asyncio.timeout(20):
                for _ in tasks:
                    await silent.acquire()
                return await asgi_messages({**scope_of("", b""), "method": "GET", "path": "/healthz"}, b"")
        finally:
            gone.set()
            await asyncio.gather(*tasks)

    assert in_a_loop(all_of_them())[0]["status"] == 200
