"""What answers `POST /v1/checks` beside Django, and what it leaves to Django."""

from __future__ import annotations

import json
from collections.abc import Iterator
from unittest.mock import patch

import pytest
from django.db import connection
from django.db.backends.postgresql.base import DatabaseWrapper
from django.http import HttpResponse
from pytest_django import Settings

from policies.services import add_policy_version
from tests.factories import Cast
from tests.interception.conftest import IN_THREADS, ApiClient, WebServer, asgi_messages, in_a_loop, scope_of
from webapp.interception import ingest, pipeline
from webapp.interception.models import Check
from webapp.local.processes import Supervisor
from workers.calls import Calls

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


def test_a_check_of_which_no_rule_reads_anything_asks_no_worker(web: ApiClient, api: ApiClient, cast: Cast) -> None:
    rule = "{id: said, detector: pii, on: [output], entities: {EMAIL_ADDRESS: redact}, on_error: block}"
    add_policy_version(project=cast.project, document=f"name: said\nrules:\n  - {rule}\n")
    check = {"messages": [{"role": "user", "content": "ann@example.com"}], "policy": "said"}
    with patch.object(Calls, "_queue_up", side_effect=AssertionError("somebody is asked")):
        for client in (web, api):
            answer = json.loads(client.post("/v1/checks", check).content)
            assert (answer["verdict"], answer["unscanned"]) == ("allow", [])


def test_nobody_waits_for_ever(web: ApiClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ingest, "submit", lambda asked: None)
    monkeypatch.setattr(ingest, "LONGEST_SECONDS", 0.05)
    response = ask(web)
    assert (response.status_code, response["Retry-After"]) == (503, "2")
    assert json.loads(response.content)["detail"] == "The database does not answer."


def test_a_foreign_host_is_refused_by_django(web: ApiClient) -> None:
    response = ask(web, Host="attacker.example")
    assert response.status_code == 421
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
    [("authorization", "Bearer csk_unknown", 401), ("host", "attacker.example", 421)],
)
def test_a_header_that_came_twice_is_chosen_from_by_nobody(cast: Cast, name: str, value: str, status: int) -> None:
    body = json.dumps({"output": "fine"}).encode()
    scope = scope_of(cast.api_key, body)
    scope["headers"].insert(0, (name.encode(), value.encode()))
    assert in_a_loop(asgi_messages(scope, body))[0]["status"] == status
    assert not Check.objects.exists()
