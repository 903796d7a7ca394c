"""What answers `POST /v1/checks` beside Django, and what it leaves to Django."""

from __future__ import annotations

import asyncio
import gc
import json
import weakref
from collections import deque
from collections.abc import Iterator
from typing import Any
from unittest.mock import patch

import pytest
from django.db import OperationalError, connection
from django.db.backends.postgresql.base import DatabaseWrapper
from django.http import HttpResponse
from pytest_django import Settings

from policies.models import PolicyVersion
from screening.engine import Job
from screening.findings import Text
from screening.policy import PolicyError
from tests.factories import Cast
from tests.interception.conftest import IN_THREADS, ApiClient, WebServer, asgi_messages, in_a_loop
from webapp.accounts.models import Project
from webapp.asgi import THREADS, application
from webapp.audit.models import AuditEvent
from webapp.interception import ingest, pipeline, screening
from webapp.interception.models import Check
from webapp.interception.screening import Screened
from webapp.local.processes import Supervisor

pytestmark = IN_THREADS


@pytest.fixture
def web(cast: Cast, screen_workers: Supervisor) -> ApiClient:
    return ApiClient(cast.api_key, WebServer())


def ask(web: ApiClient, **headers: str) -> HttpResponse:
    return web.post("/v1/checks", {"output": "fine"}, **headers)


def answered_beside_django(response: HttpResponse) -> bool:
    """Tell who answered: Django's middleware puts its headers on everything."""
    return "Content-Security-Policy" not in response.headers


def test_it_says_where_the_time_went(web: ApiClient) -> None:
    response = ask(web)
    assert answered_beside_django(response)
    stages = dict(part.split(";dur=") for part in response["Server-Timing"].split(", "))
    assert list(stages) == ["auth", "read", "intake", "screen", "store", "answer", "total"]
    seconds = [float(value) for value in stages.values()]
    assert sum(seconds[:-1]) <= seconds[-1] + 0.1


def test_both_answer_the_same(web: ApiClient, api: ApiClient) -> None:
    one, two = (client.post("/v1/checks", {"output": "ann@example.com"}, Idempotency_Key="k") for client in (web, api))
    assert (one.status_code, json.loads(one.content)) == (two.status_code, json.loads(two.content))
    assert not answered_beside_django(two)


def test_a_foreign_host_is_refused_by_django(web: ApiClient) -> None:
    response = ask(web, Host="attacker.example")
    assert response.status_code == 400
    assert not Check.objects.exists()


def test_who_comes_without_tls_is_sent_to_it(web: ApiClient, settings: Settings) -> None:
    settings.SECURE_SSL_REDIRECT = True
    settings.SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    assert not answered_beside_django(ask(web, X_Forwarded_Proto="http"))
    settings.SECURE_HSTS_SECONDS = 60
    behind_a_proxy = ask(web, X_Forwarded_Proto="https")
    assert (behind_a_proxy.status_code, behind_a_proxy["Strict-Transport-Security"]) == (200, "max-age=60")


def test_pages_and_other_addresses_are_djangos(web: ApiClient) -> None:
    response = ask(web)
    again = web.get(f"/v1/checks/{json.loads(response.content)['id']}")
    assert (again.status_code, answered_beside_django(again)) == (200, False)


def end_the_others() -> int:
    """End all connections but this thread's, as a server does that is started again, and return how many there were."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
        return int(cursor.rowcount)


@pytest.fixture
def kept_connections(web: ApiClient) -> Iterator[None]:
    """Keep the connections of all threads open, as in earnest; afterwards, have those of the rounds made as before."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setitem(connection.settings_dict, "CONN_MAX_AGE", 600)
        yield
    end_the_others()
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(pipeline, "IDLE_SECONDS", -1.0)
        assert ask(web).status_code == 200


@pytest.mark.usefixtures("kept_connections")
def test_a_connection_that_broke_at_work_is_replaced(web: ApiClient) -> None:
    assert ask(web).status_code == 200
    assert end_the_others() >= 2
    statuses = [ask(web).status_code for _ in range(3)]
    assert statuses[-1] == 200
    assert set(statuses) <= {200, 503}


@pytest.mark.usefixtures("kept_connections")
@pytest.mark.parametrize("path", ["/v1/checks", "/v1/checks/batch"])
def test_a_connection_that_broke_while_idle_costs_no_answer(
    web: ApiClient, path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pipeline, "IDLE_SECONDS", -1.0)
    body = {"output": "fine"} if path == "/v1/checks" else {"checks": [{"output": "fine"}]}
    assert web.post(path, body).status_code == 200
    assert end_the_others() >= 1
    assert [web.post(path, body).status_code for _ in range(3)] == [200, 200, 200]


@pytest.mark.usefixtures("kept_connections")
@pytest.mark.parametrize(("idle_seconds", "tries"), [(-1.0, 2), (3600.0, 0)])
def test_a_connection_is_tried_once_a_round_and_never_in_a_busy_one(
    web: ApiClient, idle_seconds: float, tries: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert ask(web).status_code == 200
    monkeypatch.setattr(pipeline, "IDLE_SECONDS", idle_seconds)
    with patch.object(DatabaseWrapper, "is_usable", return_value=True) as tried:
        assert ask(web).status_code == 200
    assert tried.call_count == tries  # that of admission and that of conclusion


def test_a_body_may_come_in_parts(cast: Cast, screen_workers: Supervisor) -> None:
    body = json.dumps({"output": "fine"}).encode()
    start, answer = in_a_loop(asgi_messages(scope_of(cast.api_key, body), body[:5], body[5:]))
    assert (start["status"], json.loads(answer["body"])["verdict"]) == (200, "allow")


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


def test_a_header_with_an_underscore_is_no_header(web: ApiClient, cast: Cast, settings: Settings) -> None:
    settings.SECURE_SSL_REDIRECT = True
    settings.SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    body = json.dumps({"output": "fine"}).encode()
    scope = scope_of(cast.api_key, body)
    scope["headers"].append((b"x_forwarded_proto", b"https"))
    names = [name for name, _ in in_a_loop(asgi_messages(scope, body))[0]["headers"]]
    assert b"content-security-policy" in names  # it was left to Django


@pytest.mark.parametrize(
    ("name", "value", "status"),
    [("authorization", "Bearer csk_unknown", 401), ("host", "attacker.example", 400)],
)
def test_a_header_that_came_twice_is_chosen_from_by_nobody(cast: Cast, name: str, value: str, status: int) -> None:
    body = json.dumps({"output": "fine"}).encode()
    scope = scope_of(cast.api_key, body)
    scope["headers"].insert(0, (name.encode(), value.encode()))
    assert in_a_loop(asgi_messages(scope, body))[0]["status"] == status
    assert not Check.objects.exists()


def scope_of(key: str, body: bytes, **headers: str) -> dict[str, Any]:
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


def ask_together(asked: list[dict[str, Any]]) -> list[tuple[int, dict[str, Any]]]:
    """Send what `scope_of` takes, all in one round, and return the answers in order."""

    async def one(request: dict[str, Any]) -> list[Any]:
        body = json.dumps(request.pop("body")).encode()
        return await asgi_messages(scope_of(request.pop("key"), body, **request), body)

    async def all_of_them() -> list[list[Any]]:
        return list(await asyncio.gather(*map(one, asked)))

    return [(start["status"], json.loads(answer["body"])) for start, answer in in_a_loop(all_of_them())]


def test_each_of_a_round_gets_its_own_answer(cast: Cast, screen_workers: Supervisor) -> None:
    fine, mail = {"output": "fine"}, {"output": "Write to ann@example.com."}
    stored = ask_together([{"key": cast.api_key, "body": fine, "idempotency_key": "old"}])[0][1]
    answers = ask_together(
        [
            {"key": cast.api_key, "body": fine},
            {"key": "csk_unknown", "body": fine},
            {"key": cast.api_key, "body": mail},
            {"key": cast.api_key, "body": {"output": 7}},
            {"key": cast.api_key, "body": {**fine, "policy": "none"}},
            {"key": cast.api_key, "body": fine, "idempotency_key": "old"},
            {"key": cast.api_key, "body": mail, "idempotency_key": "old"},
            {"key": cast.api_key, "body": fine, "idempotency_key": "new"},
            {"key": cast.api_key, "body": fine, "idempotency_key": "new"},
            {"key": cast.api_key, "body": fine, "prefer": "respond-async"},
            {"key": cast.api_key, "body": {**mail, "wait": False}},
        ]
    )
    assert [status for status, _ in answers] == [200, 401, 200, 400, 422, 200, 409, 200, 200, 202, 202]
    assert [answer.get("verdict") for _, answer in answers[:3]] == ["allow", None, "redact"]
    assert answers[5][1]["id"] == stored["id"]
    assert answers[7][1]["id"] == answers[8][1]["id"]
    assert Check.objects.count() == 6
    assert AuditEvent.objects.filter(type="check.concluded").count() == 4


def test_the_limit_of_a_project_is_that_of_its_rounds(cast: Cast, screen_workers: Supervisor) -> None:
    Project.objects.filter(pk=cast.project.pk).update(requests_per_minute=3)
    asked = [{"key": cast.api_key, "body": {"output": "fine"}} for _ in range(5)]
    assert sorted(status for status, _ in ask_together(asked)) == [200, 200, 200, 429, 429]
    assert Check.objects.count() == 3


def test_a_round_without_a_database_is_refused_whole(
    cast: Cast, screen_workers: Supervisor, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise OperationalError

    monkeypatch.setattr(pipeline, "store_each", fail)
    asked = [{"key": cast.api_key, "body": {"output": "fine"}} for _ in range(3)]
    assert [status for status, _ in ask_together(asked)] == [503] * 3
    monkeypatch.undo()
    assert [status for status, _ in ask_together([{"key": cast.api_key, "body": {"output": "fine"}}])] == [200]


def test_a_database_that_fails_one_is_not_asked_by_the_rest_of_its_round() -> None:
    asked = [pipeline.Asked(None, b"", None, None, None) for _ in range(4)]
    steps: list[pipeline.Asked] = []

    def step(one: pipeline.Asked) -> None:
        steps.append(one)
        if one is asked[1]:
            raise OperationalError

    assert pipeline._Answers().each(asked, step, "store") == asked[:1]
    assert steps == asked[:2]


def test_what_fails_for_one_is_its_own_failure(
    cast: Cast, screen_workers: Supervisor, monkeypatch: pytest.MonkeyPatch
) -> None:
    conclude = screening.conclude_job

    def fail_for_bad(job: Job, *rest: Any) -> Screened:
        if job.texts[0].text == "bad":
            raise ValueError
        return conclude(job, *rest)

    monkeypatch.setattr(pipeline, "conclude_job", fail_for_bad)
    asked = [{"key": cast.api_key, "body": {"output": text}} for text in ("fine", "bad", "good")]
    assert [status for status, _ in ask_together(asked)] == [200, 500, 200]


def test_a_policy_that_is_valid_no_longer_costs_its_neighbours_nothing(
    cast: Cast, screen_workers: Supervisor, monkeypatch: pytest.MonkeyPatch
) -> None:
    make = screening.make_job

    def fail_for_bad(version: PolicyVersion, texts: tuple[Text, ...], *rest: Any, **more: Any) -> Job:
        if texts[0].text == "bad":
            raise PolicyError([])
        return make(version, texts, *rest, **more)

    monkeypatch.setattr(pipeline, "make_job", fail_for_bad)
    asked = [{"key": cast.api_key, "body": {"output": text}} for text in ("fine", "bad", "good")]
    assert [status for status, _ in ask_together(asked)] == [200, 500, 200]


def test_a_connection_that_can_not_be_renewed_is_told_to_all(
    cast: Cast, screen_workers: Supervisor, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail() -> None:
        raise OperationalError

    monkeypatch.setattr(pipeline, "close_old_connections", fail)
    monkeypatch.setattr(pipeline, "IDLE_SECONDS", -1.0)
    asked = [{"key": cast.api_key, "body": {"output": "fine"}} for _ in range(3)]
    assert [status for status, _ in ask_together(asked)] == [503] * 3


def test_an_answer_is_not_kept_until_its_check_would_have_been_due(cast: Cast, screen_workers: Supervisor) -> None:
    async def ask_for(text: str) -> weakref.ref[HttpResponse]:
        answer: asyncio.Future[HttpResponse] = asyncio.get_running_loop().create_future()
        body = json.dumps({"output": text, "deadline_ms": 60_000}).encode()
        pipeline.submit(pipeline.Asked(cast.api_key, body, None, None, answer))
        response = await answer
        assert response.status_code == 200
        return weakref.ref(response)

    first = in_a_loop(ask_for("one"))
    in_a_loop(ask_for("two"))  # the round of the first is over
    gc.collect()
    assert first() is None
