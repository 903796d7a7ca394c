"""Why the database or Redis cannot be used is named in the log, in words of ours alone."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

import psycopg
import pytest
from django.db import OperationalError, connection
from django.test import Client

from tests.factories import Cast
from tests.interception.conftest import IN_THREADS, ApiClient
from webapp.interception import auth
from webapp.interception.screening import client
from webapp.local.home import free_port
from webapp.waits import code_of

SECRET = "not-the-pass-phrase"


@IN_THREADS
@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"PASSWORD": SECRET}, "password"),
        ({"USER": SECRET}, "password"),
        ({"PORT": "1"}, "refused"),
        ({"HOST": "nowhere.invalid"}, "host's name"),
    ],
)
def test_a_connection_to_the_database_that_fails_is_named(
    cast: Cast, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, wrong: dict[str, str], said: str
) -> None:
    for name, value in wrong.items():
        monkeypatch.setitem(connection.settings_dict, name, value)
    connection.close()
    assert ApiClient(cast.api_key).post("/v1/checks", {"output": "x"}).status_code == 503
    assert Client().get("/readyz").status_code == 503
    lines = [line for line in caplog.messages if "the database said" in line]
    assert len(lines) == 2
    assert [line for line in lines if said not in line] == []
    assert SECRET not in caplog.text


@pytest.mark.parametrize(
    ("message", "said"),
    [
        ('connection failed: FATAL:  database "shop" does not exist', "unknown database"),
        ("connection timeout expired", "timed out"),
        ("the connection is closed: shop", "OperationalError"),
    ],
)
def test_what_the_server_said_is_never_quoted(message: str, said: str) -> None:
    error = OperationalError(message)
    error.__cause__ = psycopg.OperationalError(message)
    assert said in code_of(error)
    assert "shop" not in code_of(error)


@pytest.mark.parametrize(("password", "kind"), [(SECRET, "AuthenticationError"), (None, "ConnectionError")])
def test_why_limits_are_not_counted_is_named(
    cast: Cast,
    redis_url: str,
    settings: Any,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    password: str | None,
    kind: str,
) -> None:
    port = urlsplit(redis_url).port if password else free_port()
    settings.REDIS_URL = f"redis://:{password}@127.0.0.1:{port}/0"
    monkeypatch.setattr(auth, "_counter", auth._counter.__wrapped__)
    monkeypatch.setattr(client(), "left_alone", lambda: False)
    auth.spend(cast.project)
    assert Client().get("/readyz").status_code == 503
    told = [line for line in caplog.messages if "Redis does not answer" in line]
    assert [kind in line for line in told] == [True, True]
    assert SECRET not in caplog.text
