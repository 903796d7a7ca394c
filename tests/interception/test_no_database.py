"""While the database is away, or only reads, every door of the API says so in its own form, whatever is accepted."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
from django.conf import settings
from django.db import connection
from django.test import Client

from tests.factories import Cast
from tests.interception.conftest import IN_THREADS, ApiClient, WebServer

pytestmark = IN_THREADS


@pytest.fixture
def away(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let no new connection reach the database, and close this thread's."""
    monkeypatch.setitem(connection.settings_dict, "HOST", "/nowhere")
    connection.close()


@pytest.fixture
def read_only(cast: Cast) -> Iterator[None]:
    """Let new connections only read, as those to the old primary of a failover, and close this thread's."""
    name = connection.ops.quote_name(connection.settings_dict["NAME"])
    with connection.cursor() as cursor:
        cursor.execute(f"ALTER DATABASE {name} SET default_transaction_read_only = on")
    connection.close()
    yield
    with connection.cursor() as cursor:
        cursor.execute("SET default_transaction_read_only = off")
        cursor.execute(f"ALTER DATABASE {name} RESET default_transaction_read_only")
    connection.close()


@pytest.mark.parametrize("accept", ["*/*", "application/json", "text/html"])
@pytest.mark.parametrize("path", ["/v1/checks", "/v1/checks/batch", "/openai/v1/moderations"])
@pytest.mark.usefixtures("away")
def test_each_door_answers_in_its_form(cast: Cast, path: str, accept: str) -> None:
    for client in (ApiClient(cast.api_key), ApiClient(cast.api_key, WebServer())):
        response = client.post(path, {}, Accept=accept)
        assert (response.status_code, response["Retry-After"]) == (503, "2")
        answer = json.loads(response.content)
        if path.startswith("/openai/"):
            assert answer["error"]["type"] == "server_error"
            assert "The database does not answer." in answer["error"]["message"]
            assert "Idempotency-Key" not in answer["error"]["message"]
        else:
            assert response["Content-Type"] == "application/problem+json"
            assert (answer["detail"], "Idempotency-Key" in answer["hint"]) == ("The database does not answer.", True)


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/v1/checks", {"output": "fine"}),
        ("/v1/checks", {"output": "fine", "wait": False}),
        ("/openai/v1/moderations", {"input": "fine"}),
    ],
)
@pytest.mark.usefixtures("read_only")
def test_a_database_that_only_reads_is_as_good_as_none(cast: Cast, path: str, body: dict[str, object]) -> None:
    for client in (ApiClient(cast.api_key), ApiClient(cast.api_key, WebServer())):
        response = client.post(path, body)
        assert (response.status_code, response["Retry-After"]) == (503, "2")


@pytest.mark.usefixtures("read_only")
def test_of_a_batch_each_is_told_so(cast: Cast) -> None:
    response = ApiClient(cast.api_key).post("/v1/checks/batch", {"checks": [{"output": "fine"}] * 2})
    told = [one["detail"] for one in json.loads(response.content)["results"]]
    assert told == ["The database does not answer."] * 2


@pytest.mark.usefixtures("read_only")
def test_a_database_that_only_reads_is_not_ready(cast: Cast) -> None:
    response = WebServer().get("/readyz")
    assert (response.status_code, json.loads(response.content)["database"]) == (503, False)


@pytest.mark.usefixtures("read_only")
def test_who_signs_in_while_the_database_only_reads_is_told_when_to_come_back(cast: Cast, client: Client) -> None:
    name = cast.owner.username
    response = client.post("/accounts/login/", {"login": name, "password": f"{name}-pass-phrase"})
    assert (response.status_code, response["Retry-After"]) == (503, "5")


@pytest.mark.parametrize("path", ["/", "/accounts/login/"])
@pytest.mark.usefixtures("away")
def test_pages_say_it_to_who_is_signed_in(client: Client, path: str) -> None:
    client.cookies[settings.SESSION_COOKIE_NAME] = "s" * 32
    response = client.get(path, headers={"accept-language": "de"})
    assert (response.status_code, response["Retry-After"]) == (503, "5")
    assert response["Content-Language"] == "de"
