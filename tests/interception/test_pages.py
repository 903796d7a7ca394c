"""Traffic on pages, the API's docs, and health."""

from __future__ import annotations

import json

import pytest
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from tests.factories import Cast, make_check
from webapp.accounts.models import User
from webapp.audit.models import AuditEvent
from webapp.interception.models import Check
from webapp.local.processes import Supervisor


def signed_in(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def test_an_outsider_sees_no_traffic(cast: Cast) -> None:
    check = make_check(cast)
    client = signed_in(cast.outsider)
    assert client.get("/p/acme/traffic/").status_code == 404
    assert client.get(f"/p/acme/traffic/{check.public_id}/").status_code == 404
    assert client.get(f"/p/other/traffic/{check.public_id}/").status_code == 404


def test_a_reviewer_reviews_and_does_not_browse(cast: Cast) -> None:
    check = make_check(cast)
    client = signed_in(cast.reviewer)
    assert client.get("/p/acme/traffic/").status_code == 403
    assert client.get(f"/p/acme/traffic/{check.public_id}/").status_code == 403


def test_the_list_shows_verdicts_and_no_texts(cast: Cast) -> None:
    make_check(cast)
    page = signed_in(cast.compliance).get("/p/acme/traffic/").content.decode()
    assert "hold" in page
    assert "ann@example.com" not in page


def test_a_verdict_filters_the_list(cast: Cast) -> None:
    held, allowed = make_check(cast), make_check(cast, verdict="allow", flagged=False, review="")
    page = signed_in(cast.owner).get("/p/acme/traffic/?verdict=allow").content.decode()
    assert allowed.public_id in page
    assert held.public_id not in page


@pytest.mark.parametrize(
    ("asked", "shown"),
    [("\u00b2", 1), ("-1", 1), ("0", 1), ("", 1), ("002", 2), ("9" * 20, 10_000), ("9" * 5000, 10_000)],
)
def test_any_page_number_is_answered(cast: Cast, asked: str, shown: int) -> None:
    response = signed_in(cast.owner).get("/p/acme/traffic/", {"page": asked})
    assert (response.status_code, response.context["page"]) == (200, shown)


def test_who_reads_the_texts_of_a_check_is_recorded(cast: Cast) -> None:
    check = make_check(cast)
    page = signed_in(cast.compliance).get(f"/p/acme/traffic/{check.public_id}/").content.decode()
    assert "ann@example.com" in page
    event = json.loads(bytes(AuditEvent.objects.get(type="content.viewed").envelope))
    assert event["object"]["id"] == str(check.id)
    assert event["actor"]["ref"] == str(cast.compliance.id)


def test_a_check_names_the_model_that_read_it(cast: Cast) -> None:
    check = make_check(cast)
    Check.objects.filter(pk=check.pk).update(model_version="minilm-guard-8@571002941955")
    page = signed_in(cast.owner).get(f"/p/acme/traffic/{check.public_id}/").content.decode()
    assert "minilm-guard-8@571002941955" in page


def test_hostile_markup_is_shown_as_text(cast: Cast) -> None:
    check = make_check(cast, output="<script>alert(1)</script>", findings=[])
    page = signed_in(cast.owner).get(f"/p/acme/traffic/{check.public_id}/").content.decode()
    assert "<script>alert(1)" not in page


def test_the_list_costs_the_same_for_one_and_for_many(
    cast: Cast, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    for _ in range(5):
        make_check(cast)
    client = signed_in(cast.owner)
    with django_assert_max_num_queries(6):
        client.get("/p/acme/traffic/")


def test_every_operation_is_documented(db: None) -> None:
    page = Client().get("/v1/docs").content.decode()
    schema = json.loads(Client().get("/v1/openapi.json").content)
    assert schema["openapi"].startswith("3.1")
    appeals = {"/v1/appeals/{appeal_id}", "/v1/checks/{check_id}/appeals"}
    assert set(schema["paths"]) == {"/v1/checks", "/v1/checks/batch", "/v1/checks/{check_id}"} | appeals
    for path in schema["paths"]:
        assert path in page


def test_health_says_what_is_missing(db: None, screen_workers: Supervisor) -> None:
    assert Client().get("/healthz").status_code == 200
    # A machine with much else to do may keep a worker from saying that it lives.
    screen_workers.wait_until(lambda: Client().get("/readyz").status_code == 200, timeout=30, what="workers")
    response = Client().get("/readyz")
    assert (response.status_code, json.loads(response.content)) == (
        200,
        {
            **{"database": True, "migrated": True, "redis": True, "screen.cpu": True, "screen.gpu": True},
            # Nobody runs them here, and no check needs them to be answered.
            **{"control": False, "conclude": False, "beat": False},
        },
    )


@pytest.mark.parametrize("path", ["/healthz", "/readyz", "/v1/docs"])
def test_posting_to_a_page_is_refused(db: None, path: str) -> None:
    assert Client().post(path).status_code == 405
