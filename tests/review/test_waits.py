"""A web process waits for the database for a while, says when to come back, and loses nothing."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from django.db import connection
from django.http import HttpRequest, HttpResponse
from django.test import Client
from django.urls import reverse

from review.models import Annotation, Assignment, ReviewItem
from tests.factories import Cast
from tests.review.working import claim_one, member, new_item
from webapp.waits import limit_waits, takes_long

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def impatient() -> Iterator[None]:
    """Let this connection wait for locks as one of a web process does, only not as long."""
    with connection.cursor() as cursor:
        cursor.execute("SET lock_timeout = '100ms'")
    yield
    connection.close()


@pytest.fixture
def other() -> Iterator[Any]:
    """Return a second connection in a transaction of its own."""
    second = connection.copy()
    second.set_autocommit(False)
    yield second
    second.rollback()
    second.close()


def form_of(slot: Assignment) -> dict[str, str]:
    submission = str(uuid.uuid4())
    return {"outcome": "block", "token": str(slot.lease_token), "version": "1", "submission": submission}


@pytest.mark.usefixtures("impatient")
def test_an_answer_to_a_locked_item_is_refused_in_time_and_taken_later(cast: Cast, client: Client, other: Any) -> None:
    item = new_item(cast)
    slot = claim_one(cast, member(cast, cast.reviewer))
    client.force_login(cast.reviewer)
    url, form = reverse("review:submit", args=[cast.project.slug, slot.id]), form_of(slot)
    with other.cursor() as cursor:
        cursor.execute("SELECT 1 FROM review_reviewitem WHERE id = %s FOR UPDATE", [item.id])
    asked = client.post(url, form, headers={"accept": "application/json"})
    assert (asked.status_code, asked.headers["retry-after"]) == (503, "5")
    assert asked.json()["status"] == "failed", "the console keeps the answer and sends it again"
    page = client.post(url, form)
    assert (page.status_code, page.headers["retry-after"]) == (503, "5")
    assert "Nothing was changed" in page.text
    assert not Annotation.objects.exists()
    other.rollback()
    assert client.post(url, form, headers={"accept": "application/json"}).json()["status"] == "accepted"
    assert ReviewItem.objects.get(id=item.id).state == "decided"


@pytest.mark.usefixtures("impatient")
def test_a_claim_waits_no_longer_for_another_of_the_same_person(cast: Cast, client: Client, other: Any) -> None:
    new_item(cast)
    client.force_login(cast.reviewer)
    with other.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [f"reviewer:{cast.reviewer.id}"])
    assert client.post(reverse("review:work", args=[cast.project.slug, "default"])).status_code == 503


def test_the_limits_are_those_of_every_connection_and_what_was_set_before_stays() -> None:
    databases: dict[str, Any] = {"default": {"OPTIONS": {"options": "-c search_path=public"}}}
    limit_waits(databases)
    parameters = {**connection.get_connection_params(), **databases["default"]["OPTIONS"]}
    with psycopg.connect(**{name: value for name, value in parameters.items() if name in CONNECTS}) as limited:
        shown = [limited.execute(f"SHOW {name}").fetchone() for name in ("lock_timeout", "statement_timeout")]
        assert shown == [("5s",), ("30s",)]
        assert limited.execute("SHOW search_path").fetchone() == ("public",)


def test_a_host_that_is_gone_is_noticed_within_half_a_minute() -> None:
    connection.ensure_connection()
    limits = connection.connection.info.get_parameters()
    assert float(limits["connect_timeout"]) <= 30
    assert int(limits["keepalives_idle"]) + int(limits["keepalives_interval"]) * int(limits["keepalives_count"]) <= 30
    assert int(limits["tcp_user_timeout"]) <= 30_000


CONNECTS = ("dbname", "host", "port", "user", "password", "options")


def test_reports_take_as_long_as_they_need() -> None:
    began = limit()
    with connection.cursor() as cursor:
        cursor.execute("SET statement_timeout = '7s'")

    @takes_long
    def report(_: HttpRequest) -> HttpResponse:
        return HttpResponse(limit())

    assert report(HttpRequest()).content == b"0"
    assert limit() == began, "RESET goes back to how the connection began"


def limit() -> str:
    with connection.cursor() as cursor:
        cursor.execute("SHOW statement_timeout")
        return str(cursor.fetchone()[0])
