"""What answers `POST /v1/checks` beside Django, and what it leaves to Django."""

from __future__ import annotations

import json

import pytest
from django.db import connection
from django.http import HttpResponse
from pytest_django import Settings

from tests.factories import Cast
from tests.interception.conftest import ApiClient, WebServer
from webapp.interception.models import Check
from webapp.local.processes import Supervisor


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


@pytest.mark.django_db(transaction=True)
def test_a_connection_that_broke_is_replaced(web: ApiClient) -> None:
    assert ask(web).status_code == 200
    assert connection.connection is not None
    connection.connection.close()  # as a server does that is started again
    statuses = [ask(web).status_code for _ in range(2)]
    assert statuses in ([503, 200], [200, 200])
