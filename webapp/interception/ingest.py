"""`POST /v1/checks` beside Django, in the same process: on the event loop, by the same functions.

A request that waits for its verdict holds no thread, and those that wait together go their way together (pipeline.py).
What this does not take, it hands to Django: other addresses, hosts that are not ours, plain HTTP where TLS is asked
for, bodies of unknown length.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Awaitable, Callable, MutableMapping
from functools import lru_cache
from time import monotonic
from typing import Any

from django.conf import settings
from django.http import HttpResponse, UnreadablePostError
from django.http.request import split_domain_port, validate_host

from webapp.interception.auth import bearer_token
from webapp.interception.pipeline import PATH, Asked, submit
from webapp.interception.problems import Problem, no_database, problem_of, require_size
from webapp.waits import STATEMENT_SECONDS

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Asgi = Callable[[Scope, Receive, Send], Awaitable[None]]


#: A caller who sends nothing more of its body for so long is taken to be gone, and so is one whose whole body keeps us
#: waiting for longer than that and a second for each SLOWEST bytes: it holds one of the connections that the server
#: takes at a time.
PART_SECONDS = 30.0
SLOWEST = 32 * 1024
#: No answer takes longer: a deadline of a minute, and one statement. A database that stands still keeps no limit of its
#: own.
LONGEST_SECONDS = 60.0 + STATEMENT_SECONDS


class Gone(UnreadablePostError):
    """The caller hung up in the middle of its body, or fell silent."""


def beside(django: Asgi) -> Asgi:
    """Return the application that answers checks itself and leaves the rest to `django`."""

    async def application(scope: Scope, receive: Receive, send: Send) -> None:
        # Names with underscores would pass for the headers that a proxy sets.
        scope["headers"] = [pair for pair in scope["headers"] if b"_" not in pair[0]]
        headers = _headers_of(scope)
        if not _takes(scope, headers):
            first, receive = await _begun(_whole(receive))
            if not _too_long(first, headers):
                await django(_with_length(scope, first, headers), receive, send)
                return
            response = Problem(413, "The body is large, and its length was not told.", "Send a smaller one.").response()
        else:
            try:
                response = await _answer(headers, receive)
            except Gone as gone:
                response = problem_of(gone, "POST", PATH).response()
        await send({"type": "http.response.start", "status": response.status_code, "headers": _headers(response)})
        await send({"type": "http.response.body", "body": response.content})

    return application


def _headers_of(scope: Scope) -> dict[str, str]:
    """Return the headers by name. One that came twice is both with a comma, as it is for Django: neither is chosen."""
    headers: dict[str, str] = {}
    for raw_name, raw in scope["headers"]:
        name, value = raw_name.decode("latin1"), raw.decode("latin1")
        headers[name] = f"{headers[name]},{value}" if name in headers else value
    return headers


def _too_long(first: Message, headers: dict[str, str]) -> bool:
    """Return whether more comes than the API takes, in a body of a length that was not told."""
    return first["more_body"] and len(first["body"]) >= settings.MAX_BODY_BYTES and "content-length" not in headers


def _with_length(scope: Scope, first: Message, headers: dict[str, str]) -> Scope:
    """Return `scope` with the length of a body that came without: Django reads as much as it is told that there is.

    Of one that broke off something is missing, so that Django looks for it, and finds that out.
    """
    length = len(first["body"]) + first["more_body"]
    if not length or "content-length" in headers:
        return scope
    return {**scope, "headers": [*scope["headers"], (b"content-length", str(length).encode())]}


def _takes(scope: Scope, headers: dict[str, str]) -> bool:
    if scope["path"] != PATH or scope["method"] != "POST":
        return False
    if not headers.get("content-length", "").isdecimal():
        return False
    return _is_ours(headers.get("host", ""), tuple(settings.ALLOWED_HOSTS)) and _is_safe(scope, headers)


@lru_cache(maxsize=256)
def _is_ours(host: str, allowed: tuple[str, ...]) -> bool:
    domain, _ = split_domain_port(host)
    return bool(domain) and validate_host(domain, allowed)


def _is_safe(scope: Scope, headers: dict[str, str]) -> bool:
    """Return whether Django would not send the caller to the https address."""
    if not settings.SECURE_SSL_REDIRECT:
        return True
    name, value = settings.SECURE_PROXY_SSL_HEADER or ("", "")
    header = name.removeprefix("HTTP_").replace("_", "-").lower()
    return bool(scope["scheme"] == "https" or (name and headers.get(header) == value))


async def _answer(headers: dict[str, str], receive: Receive) -> HttpResponse:
    try:
        require_size(int(headers["content-length"]))
    except Problem as too_large:
        return too_large.response()
    answer: asyncio.Future[HttpResponse] = asyncio.get_running_loop().create_future()
    body = bytearray()
    await _read(_whole(receive), body)
    token = bearer_token(headers.get("authorization"))
    submit(Asked(token, bytes(body), headers.get("idempotency-key"), headers.get("prefer"), answer))
    try:
        async with asyncio.timeout(LONGEST_SECONDS):
            return await answer
    except TimeoutError:
        return no_database(PATH).response()


async def _read(receive: Receive, body: bytearray, most: float = math.inf) -> bool:
    """Add what comes to `body` until it is whole or has `most` bytes, and return whether there is more. Raises Gone.

    The server sees to it that it is as long as was said.
    """
    more = True
    while more and len(body) < most:
        message = await receive()
        body += message.get("body", b"")
        more = message.get("more_body", False)
    return more


async def _begun(receive: Receive) -> tuple[Message, Receive]:
    """Return the begin of the body, as much as the API takes, and what gives all, raising Gone where it broke off.

    So whoever sends slowly holds one of Django's threads only with a body that is larger than most.
    """
    body, more, failed = bytearray(), True, None
    try:
        more = await _read(receive, body, settings.MAX_BODY_BYTES)
    except Gone as gone:
        failed = gone
    first: Message = {"type": "http.request", "body": bytes(body), "more_body": more}
    begin = [first]

    async def received() -> Message:
        if begin:
            return begin.pop()
        if failed is not None:
            raise failed
        return await receive()

    return first, received


def _whole(receive: Receive) -> Receive:
    """Return what raises Gone where `receive` would say that there is no more, nothing, or too little for too long.

    Half a body is none.
    """
    patience = PART_SECONDS

    async def received() -> Message:
        nonlocal patience
        began = monotonic()
        try:
            async with asyncio.timeout(min(PART_SECONDS, patience)):
                message = await receive()
        except TimeoutError:
            raise Gone from None
        if message["type"] == "http.disconnect":
            raise Gone
        patience += len(message.get("body", b"")) / SLOWEST - (monotonic() - began)
        return message

    return received


def _headers(response: HttpResponse) -> list[tuple[bytes, bytes]]:
    headers = {**response.headers, "X-Content-Type-Options": "nosniff", "Content-Length": str(len(response.content))}
    if settings.SECURE_HSTS_SECONDS:
        headers["Strict-Transport-Security"] = f"max-age={settings.SECURE_HSTS_SECONDS}"
    return [(name.lower().encode("latin1"), value.encode("latin1")) for name, value in headers.items()]
