"""Asynchronous checks: a row before a message, a verdict in the end, whatever happens in between."""

from __future__ import annotations

import datetime as dt
import json

import pytest
from django.utils import timezone

from tests.interception.conftest import ApiClient
from webapp.audit.models import AuditEvent
from webapp.interception import tasks
from webapp.interception.models import Check
from webapp.interception.services import conclude_pending


def accepted(api: ApiClient, **headers: str) -> Check:
    response = api.post("/v1/checks", {"output": "mail ann@example.com", "wait": False}, **headers)
    answer = json.loads(response.content)
    assert (response.status_code, answer["state"], answer["verdict"], answer["output"]) == (202, "pending", None, None)
    return Check.objects.get()


def test_it_is_stored_before_it_is_answered_and_concluded_later(api: ApiClient) -> None:
    check = accepted(api)
    conclude_pending(check.id)
    answer = json.loads(api.get(f"/v1/checks/{check.public_id}").content)
    assert (answer["state"], answer["verdict"], answer["output"]) == ("concluded", "redact", "mail [EMAIL_ADDRESS]")
    assert list(AuditEvent.objects.filter(type__startswith="check.").order_by("ts").values_list("type", flat=True)) == [
        "check.accepted",
        "check.concluded",
    ]


def test_the_prefer_header_asks_for_it_too(api: ApiClient) -> None:
    assert api.post("/v1/checks", {"output": "x"}, Prefer="respond-async").status_code == 202


def test_concluding_twice_changes_nothing(api: ApiClient) -> None:
    check = accepted(api)
    conclude_pending(check.id)
    before = Check.objects.values().get()
    conclude_pending(check.id)
    assert Check.objects.values().get() == before
    assert AuditEvent.objects.filter(type="check.concluded").count() == 1


def test_a_retry_while_it_waits_gets_the_same_id(api: ApiClient) -> None:
    accepted(api, Idempotency_Key="k")
    response = api.post("/v1/checks", {"output": "mail ann@example.com", "wait": False}, Idempotency_Key="k")
    assert response.status_code == 202
    assert Check.objects.count() == 1


def test_the_sweeper_sends_what_has_no_verdict_after_its_deadline(
    api: ApiClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    check = accepted(api)
    sent: list[str] = []
    # The broker's edge; what it sends runs below.
    monkeypatch.setattr(tasks.conclude_check, "apply_async", lambda args, **_: sent.extend(args))
    assert tasks.sweep_checks() == 0
    Check.objects.update(created_at=timezone.now() - dt.timedelta(seconds=90))
    assert tasks.sweep_checks() == 1
    tasks.conclude_check(sent[0])
    check.refresh_from_db()
    assert check.verdict == "redact"
