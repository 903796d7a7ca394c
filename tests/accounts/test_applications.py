"""Applications and their keys: shown once, revoked at once."""

from __future__ import annotations

import re

import pytest
from django.test import Client
from django.urls import reverse

from tests.factories import Cast
from webapp.accounts.models import ApiKey
from webapp.accounts.services import create_api_key, create_application, key_digest
from webapp.audit.models import AuditEvent


def test_an_application_is_registered_once(cast: Cast, client: Client) -> None:
    client.force_login(cast.owner)
    path = reverse("accounts:application-create", args=["acme"])
    assert client.post(path, {"name": "search"}).status_code == 302
    again = client.post(path, {"name": "search"})
    assert again.status_code == 400
    assert "has an application of that name" in again.content.decode()
    assert cast.project.applications.filter(name="search").count() == 1
    assert AuditEvent.objects.filter(type="application.created").count() == 2


def test_a_key_is_shown_once_and_stored_as_its_hash(cast: Cast, client: Client) -> None:
    client.force_login(cast.owner)
    response = client.post(reverse("accounts:key-create", args=["acme", cast.application.pk]))
    assert "no-store" in response["Cache-Control"]
    found = re.search(r"csk_[\w-]{43}", response.content.decode())
    assert found
    key = ApiKey.objects.get(sha256=key_digest(found[0]))
    assert key.created_by == cast.owner
    page = client.get(reverse("accounts:applications", args=["acme"])).content.decode()
    assert found[0] not in page
    assert key.prefix in page


def test_a_key_is_revoked_once(cast: Cast, client: Client) -> None:
    client.force_login(cast.owner)
    key = cast.application.keys.get()
    path = reverse("accounts:key-revoke", args=["acme", key.pk])
    for _ in range(2):
        assert client.post(path).status_code == 302
    key.refresh_from_db()
    assert key.revoked_at is not None
    assert AuditEvent.objects.filter(type="key.revoked").count() == 1


def test_the_page_takes_the_same_queries_however_long(
    cast: Cast, client: Client, django_assert_max_num_queries: pytest.FixtureRequest
) -> None:
    for number in range(10):
        application = create_application(project=cast.project, name=f"app-{number}")
        create_api_key(application=application, created_by=cast.owner)
    client.force_login(cast.owner)
    with django_assert_max_num_queries(7):  # type: ignore[operator]
        client.get(reverse("accounts:applications", args=["acme"]))
