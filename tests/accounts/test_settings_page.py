"""Project settings: what may be set, and the event that names the fields."""

from __future__ import annotations

import json

import pytest
from django.test import Client
from django.urls import reverse

from tests.factories import Cast
from webapp.audit.models import AuditEvent

GOOD = {"name": "Acme", "default_policy": "support-bot", "random_review_rate": "0.01", "requests_per_minute": "6000"}


def save(client: Client, cast: Cast, **changes: str) -> int:
    client.force_login(cast.owner)
    return client.post(reverse("accounts:settings", args=["acme"]), {**GOOD, **changes}).status_code


def test_changes_are_stored_and_their_fields_recorded(cast: Cast, client: Client) -> None:
    assert save(client, cast, random_review_rate="0.25", requests_per_minute="10", default_policy="") == 302
    cast.project.refresh_from_db()
    assert (cast.project.random_review_rate, cast.project.requests_per_minute) == (0.25, 10)
    assert cast.project.default_policy == ""
    event = AuditEvent.objects.get(type="project.settings.changed")
    codes = json.loads(bytes(event.envelope))["reason_codes"]
    assert codes == ["field:default_policy", "field:random_review_rate", "field:requests_per_minute"]


def test_saving_what_is_there_records_nothing(cast: Cast, client: Client) -> None:
    assert save(client, cast, **{name: str(getattr(cast.project, name)) for name in GOOD}) == 302
    assert not AuditEvent.objects.filter(type="project.settings.changed").exists()


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("random_review_rate", "1.5"),
        ("random_review_rate", "-0.1"),
        ("random_review_rate", "nan"),
        ("requests_per_minute", "0"),
        ("requests_per_minute", "99999999999"),
        ("default_policy", "no-such-policy"),
        ("name", ""),
    ],
)
def test_what_makes_no_sense_is_refused(cast: Cast, client: Client, field: str, value: str) -> None:
    assert save(client, cast, **{field: value}) == 400
    before = {name: getattr(cast.project, name) for name in GOOD}
    cast.project.refresh_from_db()
    assert {name: getattr(cast.project, name) for name in GOOD} == before
