"""While the database is away, every door of the API says so in its own form, whatever form its caller would like."""

from __future__ import annotations

import json

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


@pytest.mark.parametrize("path", ["/", "/accounts/login/"])
@pytest.mark.usefixtures("away")
def test_pages_say_it_to_who_is_signed_in(client: Client, path: str) -> None:
    client.cookies[settings.SESSION_COOKIE_NAME] = "s" * 32
    response = client.get(path, headers={"accept-language": "de"})
    assert (response.status_code, response["Retry-After"]) == (503, "5")
    assert response["Content-Language"] == "de"
