"""`POST /v1/checks/batch`: one answer or problem each, in order."""

from __future__ import annotations

import json

from tests.interception.conftest import ApiClient
from webapp.interception.models import Check


def test_each_gets_its_answer_or_problem_in_order(api: ApiClient) -> None:
    checks = [{"output": f"text {n}"} for n in range(20)]
    checks[3] = {"output": "mail ann@example.com"}
    checks[5] = {"output": 5}  # type: ignore[dict-item]
    checks[18] = {"output": "x", "policy": "nope"}
    response = api.post("/v1/checks/batch", {"checks": checks})
    results = json.loads(response.content)["results"]
    assert response.status_code == 200
    assert [result.get("verdict") or result["status"] for result in results] == [
        *("allow",) * 3, "redact", "allow", 400, *("allow",) * 12, 422, "allow",
    ]  # fmt: skip
    assert [result["output"] for result in results[:3]] == ["text 0", "text 1", "text 2"]
    assert Check.objects.count() == 18


def test_a_retried_batch_screens_nothing_twice(api: ApiClient) -> None:
    body = {"checks": [{"output": "one"}, {"output": "two"}]}
    first = api.post("/v1/checks/batch", body, Idempotency_Key="b1")
    second = api.post("/v1/checks/batch", body, Idempotency_Key="b1")
    assert json.loads(first.content) == json.loads(second.content)
    assert Check.objects.count() == 2


def test_one_conflict_leaves_the_others_alone(api: ApiClient) -> None:
    api.post("/v1/checks/batch", {"checks": [{"output": "one"}]}, Idempotency_Key="b1")
    response = api.post("/v1/checks/batch", {"checks": [{"output": "ONE"}, {"output": "two"}]}, Idempotency_Key="b1")
    results = json.loads(response.content)["results"]
    assert (results[0]["status"], results[1]["verdict"]) == (409, "allow")


def test_too_many_are_refused_at_once(api: ApiClient) -> None:
    response = api.post("/v1/checks/batch", {"checks": [{"output": "x"}] * 257})
    assert response.status_code == 400
    assert Check.objects.count() == 0
