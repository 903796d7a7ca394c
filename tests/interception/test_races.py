"""Twins under one Idempotency-Key, full queues, queues without a worker, and no broker at all."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import redis

from review.models import ReviewItem
from tests.factories import Cast
from tests.interception.conftest import ApiClient
from tests.threads import at_once
from webapp.audit.models import AuditEvent
from webapp.interception.models import Check
from webapp.interception.services import conclude_pending
from webapp.local.home import free_port
from workers.broker import QUEUES
from workers.client import MAX_WAITING, NO_BROKER, NO_WORKER
from workers.messages import alive_key

RULES = ["moderation", "pii"]


@pytest.fixture
def empty_broker(redis_url: str, use_broker: Callable[[str], None]) -> Iterator[redis.Redis]:
    """Give a broker that no worker serves: another database of the session's Redis."""
    url = redis_url.removesuffix("/0") + "/9"
    use_broker(url)
    with redis.Redis.from_url(url) as client:
        yield client
        client.flushdb()


@pytest.fixture
def lone_api(cast: Cast) -> ApiClient:
    """An API client that does not ask for workers."""
    return ApiClient(cast.api_key)


def post(api: ApiClient, output: str, **headers: str) -> tuple[int, dict[str, Any]]:
    response = ApiClient(api.key).post("/v1/checks", {"output": output}, **headers)
    return response.status_code, json.loads(response.content)


def assert_concluded_once() -> None:
    """Expect one check with one verdict in the rows and in the audit log."""
    assert Check.objects.get().state == "concluded"
    assert AuditEvent.objects.filter(type="check.concluded").count() == 1


def unscanned(answer: dict[str, Any]) -> dict[str, str]:
    return {entry["rule"]: entry["reason"] for entry in answer["unscanned"]}


@pytest.mark.django_db(transaction=True)
def test_twins_under_one_key_get_one_answer(api: ApiClient) -> None:
    answers = at_once(lambda _: post(api, "ann@example.com", Idempotency_Key="k"), times=6)
    assert answers == [answers[0]] * 6
    assert answers[0][0] == 200
    assert_concluded_once()


@pytest.mark.django_db(transaction=True)
def test_of_two_requests_under_one_key_one_is_a_conflict(api: ApiClient) -> None:
    statuses = [status for status, _ in at_once(lambda n: post(api, f"text {n}", Idempotency_Key="k"), times=2)]
    assert sorted(statuses) == [200, 409]
    assert_concluded_once()


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(("outputs", "statuses"), [("aaaa", [202] * 4), ("aabb", [202, 202, 409, 409])])
def test_asynchronous_twins_are_accepted_once(api: ApiClient, outputs: str, statuses: list[int]) -> None:
    headers = {"Idempotency_Key": "k", "Prefer": "respond-async"}
    answers = at_once(lambda n: post(api, outputs[n], **headers), times=4)
    assert sorted(status for status, _ in answers) == statuses
    assert {answer["id"] for status, answer in answers if status == 202} == {Check.objects.get().public_id}
    assert AuditEvent.objects.filter(type="check.accepted").count() == 1


@pytest.mark.django_db(transaction=True)
def test_a_check_that_is_sent_twice_is_concluded_once(api: ApiClient) -> None:
    post(api, "ann@example.com", Prefer="respond-async")
    key = Check.objects.get().id
    at_once(lambda _: conclude_pending(key), times=4)
    assert_concluded_once()
    assert Check.objects.get().findings.count() == 1


def test_full_queues_refuse_and_store_nothing(lone_api: ApiClient, empty_broker: redis.Redis) -> None:
    for queue in QUEUES.values():
        empty_broker.set(alive_key(queue), "1")
    empty_broker.rpush(QUEUES["gpu"], *["a message"] * MAX_WAITING)
    response = lone_api.post("/v1/checks", {"output": "x"}, Idempotency_Key="k")
    assert (response.status_code, response["Retry-After"]) == (503, "1")
    assert not Check.objects.exists()
    assert not AuditEvent.objects.filter(type__startswith="check.").exists()


def test_a_full_queue_leaves_no_work_in_the_others(lone_api: ApiClient, empty_broker: redis.Redis) -> None:
    for queue in QUEUES.values():
        empty_broker.set(alive_key(queue), "1")
    for full, other in (("gpu", "cpu"), ("cpu", "gpu")):
        empty_broker.rpush(QUEUES[full], *["a message"] * MAX_WAITING)
        assert post(lone_api, "x")[0] == 503
        assert empty_broker.llen(QUEUES[other]) == 0
        empty_broker.delete(QUEUES[full])


def test_without_a_worker_the_fail_mode_answers_at_once(lone_api: ApiClient, empty_broker: redis.Redis) -> None:
    status, answer = post(lone_api, "ann@example.com")
    assert (status, answer["verdict"], answer["output"]) == (200, "hold", None)
    assert unscanned(answer) == dict.fromkeys(RULES, NO_WORKER)
    assert answer["timings"]["total_ms"] < 1000
    assert ReviewItem.objects.get().checked == Check.objects.get()
    assert_concluded_once()
    assert empty_broker.keys("*") == []


def test_one_queue_without_a_worker_does_not_hide_what_the_other_says(
    api: ApiClient, redis_url: str, use_broker: Callable[[str], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    # As if the worker of the model had never said that it lives.
    silent = {QUEUES["gpu"]: "nobody says so"}
    monkeypatch.setattr("workers.client.alive_key", lambda queue: silent.get(queue) or alive_key(queue))
    use_broker(redis_url)
    _, answer = post(api, "ann@example.com")
    assert unscanned(answer) == {"moderation": NO_WORKER}
    assert [finding["category"] for finding in answer["findings"]] == ["EMAIL_ADDRESS"]
    assert answer["verdict"] == "hold"


def test_without_a_broker_the_check_is_stored_and_answered_at_once(
    lone_api: ApiClient, use_broker: Callable[[str], None]
) -> None:
    use_broker(f"redis://127.0.0.1:{free_port()}/0")
    status, answer = post(lone_api, "ann@example.com", Idempotency_Key="k")
    assert (status, answer["verdict"]) == (200, "hold")
    assert unscanned(answer) == dict.fromkeys(RULES, NO_BROKER)
    assert answer["timings"]["total_ms"] < 1000
    assert post(lone_api, "ann@example.com", Idempotency_Key="k") == (200, answer)
    assert_concluded_once()
