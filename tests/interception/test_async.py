"""Asynchronous checks: a row before a message, a verdict in the end, whatever happens in between."""

from __future__ import annotations

import datetime as dt
import json
from typing import Any

import pytest
from django.utils import timezone

from policies.services import add_policy_version
from tests.factories import POLICY, Cast
from tests.interception.conftest import ApiClient
from webapp.accounts.services import create_api_key, create_application
from webapp.audit.models import AuditEvent
from webapp.celery import app as control
from webapp.interception import services, tasks
from webapp.interception.models import Check
from webapp.interception.screening import client
from webapp.interception.services import conclude_pending
from workers.broker import CONCLUDE, CONTROL


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


@pytest.mark.parametrize(
    ("prefer", "status"),
    [
        ("respond-async", 202),
        ("wait=10, Respond-Async; now=1", 202),
        ("handling=lenient", 200),
        ("no-respond-async", 200),
    ],
)
def test_the_prefer_header_asks_for_it_too(api: ApiClient, prefer: str, status: int) -> None:
    assert api.post("/v1/checks", {"output": "x"}, Prefer=prefer).status_code == status


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


def test_the_sweeper_adds_nothing_to_a_flood(api: ApiClient, monkeypatch: pytest.MonkeyPatch) -> None:
    accepted(api)
    Check.objects.update(created_at=timezone.now() - dt.timedelta(seconds=90))
    monkeypatch.setattr(client(), "waiting", lambda queue: tasks.SWEEP_LIMIT)
    monkeypatch.setattr(tasks.conclude_check, "apply_async", lambda *_, **__: pytest.fail("sent"))
    assert tasks.sweep_checks() == 0


def test_too_many_that_wait_are_refused_and_none_of_them_is_lost(
    api: ApiClient, cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(services, "MAX_PENDING", 2)
    asked = {"output": "mail ann@example.com", "wait": False}
    statuses = [api.post("/v1/checks", asked, Idempotency_Key=str(number)).status_code for number in range(3)]
    assert statuses == [202, 202, 503]
    refused = api.post("/v1/checks", asked, Idempotency_Key="2")
    assert (refused.status_code, refused["Retry-After"]) == (503, "5")
    # Neither retries of what was accepted nor checks that wait for their answer are refused.
    assert api.post("/v1/checks", asked, Idempotency_Key="1").status_code == 202
    assert api.check("x")["state"] == "concluded"
    first, second = Check.objects.filter(asynchronous=True).order_by("created_at")
    conclude_pending(first.id)
    conclude_pending(second.id)
    assert set(Check.objects.values_list("state", flat=True)) == {"concluded"}
    assert api.post("/v1/checks", asked, Idempotency_Key="2").status_code == 202


MIXED: list[dict[str, Any]] = [
    {"output": "mail ann@example.com"},
    {"output": "mail bo@example.com", "wait": False},
    {"output": 5, "wait": False},
]


def batch(api: ApiClient, checks: list[dict[str, Any]], **headers: str) -> tuple[int, list[dict[str, Any]]]:
    response = api.post("/v1/checks/batch", {"checks": checks}, **headers)
    results: list[dict[str, Any]] = json.loads(response.content)["results"]
    return response.status_code, results


def test_those_of_a_batch_that_do_not_wait_are_accepted_in_their_place(api: ApiClient) -> None:
    status, results = batch(api, MIXED, Idempotency_Key="k")
    assert status == 202
    assert [result.get("state") or result["status"] for result in results] == ["concluded", "pending", 400]
    assert [result.get("verdict") for result in results] == ["redact", None, None]
    assert batch(api, MIXED, Idempotency_Key="k")[1][1]["id"] == results[1]["id"]
    conclude_pending(Check.objects.get(asynchronous=True).id)
    status, results = batch(api, MIXED, Idempotency_Key="k")
    assert (status, results[1]["verdict"]) == (200, "redact")
    assert Check.objects.count() == 2


def test_the_prefer_header_is_for_each_of_a_batch(api: ApiClient) -> None:
    status, results = batch(api, [{"output": str(number)} for number in range(20)], Prefer="respond-async")
    assert (status, {result["state"] for result in results}) == (202, {"pending"})
    assert Check.objects.filter(asynchronous=True).count() == 20


def test_one_of_a_batch_that_there_is_no_room_for_is_refused_alone(
    api: ApiClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(services, "MAX_PENDING", 1)
    asked = {"output": "x", "wait": False}
    _, results = batch(api, [asked, {"output": "x"}, asked])
    assert [result.get("state") or result["status"] for result in results] == ["pending", "concluded", 503]


def test_what_has_no_verdict_yet_is_no_first_candidate_of_a_batch(api: ApiClient) -> None:
    messages = [{"role": "user", "content": "How do I reach Ann?"}]
    first = {"output": "Ask at the desk.", "messages": messages, "wait": False}
    second = {"output": "Call her.", "messages": messages, "compare_with": "#0"}
    _, results = batch(api, [first, second])
    assert (results[0]["state"], results[1]["status"]) == ("pending", 422)
    _, results = batch(api, [{**first, "wait": True}, {**second, "wait": False}])
    conclude_pending(Check.objects.get(compared_with__isnull=False).id)
    assert Check.objects.get(compared_with__isnull=False).compared_with == Check.objects.get(asynchronous=False)


def test_another_project_is_not_refused(api: ApiClient, cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(services, "MAX_PENDING", 1)
    accepted(api)
    assert api.post("/v1/checks", {"output": "x", "wait": False}).status_code == 503
    add_policy_version(project=cast.other_project, document=POLICY)
    _, secret = create_api_key(application=create_application(project=cast.other_project, name="theirs"))
    asked = {"output": "x", "wait": False, "policy": cast.policy_version.policy.name}
    assert ApiClient(secret).post("/v1/checks", asked).status_code == 202


def test_they_wait_in_a_queue_of_their_own() -> None:
    """A flood of them must not stand in the way of the audit sequencer, the sweeps and the leases."""
    routed = {
        entry["task"]: control.amqp.router.route({}, entry["task"]) for entry in control.conf.beat_schedule.values()
    }
    assert {options["queue"].name for options in routed.values()} == {CONTROL}
    assert control.amqp.router.route({}, "interception.conclude_check")["queue"].name == CONCLUDE
