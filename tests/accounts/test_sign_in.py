"""Sign-ins are recorded without names, limited, and closed while nothing can limit them."""

from __future__ import annotations

import json
import time

import pytest
from django.core.cache import cache
from django.test import Client
from django.urls import reverse
from pytest_django.fixtures import Settings

from tests.factories import Cast
from tests.silent_redis import SilentRedis
from webapp.audit.models import AuditEvent
from workers.client import PATIENCE_SECONDS


@pytest.fixture(autouse=True)
def empty_cache() -> None:
    cache.clear()


def sign_in(client: Client, username: str, password: str) -> int:
    return client.post(reverse("account_login"), {"login": username, "password": password}).status_code


def envelopes(type: str) -> list[dict[str, object]]:
    events = AuditEvent.objects.filter(type=type).order_by("id")
    return [json.loads(bytes(event.envelope)) for event in events]


def test_a_sign_in_is_an_event_of_each_of_the_members_projects(cast: Cast, client: Client) -> None:
    assert sign_in(client, "owner", "owner-pass-phrase") == 302
    (event,) = envelopes("signin.succeeded")
    assert event["project"] == str(cast.project.id)
    assert event["actor"] == {"kind": "user", "ref": str(cast.owner.id), "role": "owner", "auth": "password"}


def test_a_refused_sign_in_names_the_account_that_was_tried_and_nobody_else(cast: Cast, client: Client) -> None:
    assert sign_in(client, "owner", "guess") == 200
    (event,) = envelopes("signin.failed")
    assert event["project"] == str(cast.project.id)
    assert event["actor"] == {"kind": "anonymous", "ref": "", "role": "", "auth": ""}
    assert event["object"] == {"kind": "user", "id": str(cast.owner.id), "rev": ""}


def test_an_unknown_name_leaves_no_trace_of_what_was_typed(cast: Cast, client: Client) -> None:
    assert sign_in(client, "my-password-by-mistake", "x") == 200
    (event,) = envelopes("signin.failed")
    assert event["project"] is None
    assert "my-password-by-mistake" not in json.dumps(event)


def test_guessing_is_limited(cast: Cast, client: Client) -> None:
    for _ in range(5):
        assert (
            "Too many"
            not in client.post(reverse("account_login"), {"login": "owner", "password": "guess"}).content.decode()
        )
    sixth = client.post(reverse("account_login"), {"login": "owner", "password": "owner-pass-phrase"})
    assert sixth.status_code == 200
    assert "Too many failed login attempts" in sixth.content.decode()
    assert not envelopes("signin.succeeded")


def test_sign_in_is_closed_while_redis_is_down_and_sessions_go_on(
    cast: Cast, client: Client, settings: Settings
) -> None:
    client.force_login(cast.owner)
    dead = {**settings.CACHES["default"], "LOCATION": "redis://127.0.0.1:1/0"}
    settings.CACHES = {"default": dead}
    response = Client().post(reverse("account_login"), {"login": "owner", "password": "owner-pass-phrase"})
    assert response.status_code == 503
    assert response["Retry-After"]
    assert "Redis" in response.content.decode()
    assert client.get(reverse("accounts:members", args=["acme"])).status_code == 200


def test_a_redis_that_hangs_holds_a_sign_in_up_for_seconds_only(
    cast: Cast, client: Client, settings: Settings, silent_redis: SilentRedis
) -> None:
    settings.CACHES = {"default": {**settings.CACHES["default"], "LOCATION": silent_redis.url}}
    start = time.monotonic()
    assert sign_in(client, "owner", "owner-pass-phrase") == 503
    assert silent_redis.callers()
    assert time.monotonic() - start < 3 * PATIENCE_SECONDS
