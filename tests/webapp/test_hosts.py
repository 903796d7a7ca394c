"""A host that is not ours is refused in the caller's form, and the operator reads which setting that is about."""

from __future__ import annotations

import json

import pytest
from django.test import Client

from tests.interception.conftest import IN_THREADS, WebServer
from webapp import hosts
from workers.seldom import Seldom

STRANGE = "strange.example"


@pytest.fixture(autouse=True)
def _nothing_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hosts, "_refused", Seldom())


@IN_THREADS
@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize("path", ["/v1/checks", "/v1/checks/batch", "/openai/v1/moderations"])
def test_the_api_names_the_setting(method: str, path: str) -> None:
    for client in (Client(), WebServer()):
        answered = client.generic(method, path, b"{}", content_type="application/json", headers={"host": STRANGE})
        answer = json.loads(answered.content)
        assert answered.status_code == 421
        if path.startswith("/openai/"):
            assert "COUNTERSIGN_ALLOWED_HOSTS" in answer["error"]["message"]
        else:
            assert answered["Content-Type"] == "application/problem+json"
            assert "COUNTERSIGN_ALLOWED_HOSTS" in answer["hint"]
        assert STRANGE not in answered.content.decode()


@IN_THREADS
@pytest.mark.parametrize("host", [STRANGE, "<b>strange.example"])
@pytest.mark.parametrize(("language", "said"), [("en", "adds the name to"), ("de", "trägt den Namen in")])
def test_a_page_names_the_setting_in_the_reader_s_language(host: str, language: str, said: str) -> None:
    for client in (Client(), WebServer()):
        for path in ("/", "/accounts/login/", "/p/acme/review/"):
            answered = client.get(path, headers={"host": host, "accept-language": language})
            page = answered.content.decode()
            assert answered.status_code == 421
            assert f'<html lang="{language}">' in page
            assert f"{said} <code>COUNTERSIGN_ALLOWED_HOSTS</code>" in page
            assert STRANGE not in page
            # It would lead to this page again.
            assert 'href="/"' not in page


def test_the_log_is_told_once_and_without_the_host(caplog: pytest.LogCaptureFixture) -> None:
    for path in ("/v1/checks", "/", "/accounts/login/"):
        assert Client().get(path, headers={"host": STRANGE}).status_code == 421
    (line,) = caplog.messages
    assert "COUNTERSIGN_ALLOWED_HOSTS" in line
    assert STRANGE not in caplog.text


@pytest.mark.parametrize("host", ["10.1.2.3:8600", STRANGE, "<b>strange.example"])
@IN_THREADS
def test_probes_are_answered_for_any_host(host: str, caplog: pytest.LogCaptureFixture) -> None:
    for client in (Client(), WebServer()):
        for path, statuses in {"/healthz": (200,), "/readyz": (200, 503)}.items():
            answered = client.get(path, headers={"host": host})
            assert answered.status_code in statuses
            assert isinstance(json.loads(answered.content), dict)
            assert answered["X-Content-Type-Options"] == "nosniff"
            assert host not in answered.content.decode() + str(answered.headers)
            assert client.post(path, headers={"host": host}).status_code == 405
        assert client.get("/healthz/more", headers={"host": host}).status_code == 421
    assert host not in caplog.text
