"""`POST /v1/checks/batch`: one answer or problem each, in order."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import pytest
from django.db import OperationalError

from screening.policy import PolicyError
from tests.interception.conftest import ApiClient
from webapp.interception import api as api_module
from webapp.interception import doors, services, storing
from webapp.interception.models import Check
from webapp.interception.rows import Intake
from workers.lines import Line


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


@pytest.mark.parametrize(
    ("module", "name", "where"),
    [(services, "make_job", "policy"), (services, "conclude_job", "verdict"), (storing, "content_row", "row")],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_fails_for_one_costs_its_neighbours_nothing(
    api: ApiClient, monkeypatch: pytest.MonkeyPatch, module: Any, name: str, where: str
) -> None:
    work = getattr(module, name)

    def fail_for_bad(*args: Any, **more: Any) -> Any:
        if "'bad'" in repr(args):
            raise PolicyError([]) if where == "policy" else ValueError
        return work(*args, **more)

    monkeypatch.setattr(module, name, fail_for_bad)
    response = api.post("/v1/checks/batch", {"checks": [{"output": text} for text in ("fine", "bad", "good")]})
    assert response.status_code == 200
    results = json.loads(response.content)["results"]
    assert [result.get("verdict") or result["status"] for result in results] == ["allow", 500, "allow"]
    assert Check.objects.count() == 2


def test_a_database_that_goes_away_takes_no_answer_back(api: ApiClient, monkeypatch: pytest.MonkeyPatch) -> None:
    run = services.run_checks

    def fail_for_the_last(intakes: Sequence[Intake]) -> Any:
        if intakes[0].request.output == "16":
            raise OperationalError
        return run(intakes)

    monkeypatch.setattr(doors, "run_checks", fail_for_the_last)
    response = api.post("/v1/checks/batch", {"checks": [{"output": str(number)} for number in range(17)]})
    results = json.loads(response.content)["results"]
    assert [result.get("verdict") or result["status"] for result in results] == [*("allow",) * 16, 503]


def test_one_that_can_not_be_read_in_time_leaves_the_others_alone(
    api: ApiClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    # A line in which nobody is read within a second.
    monkeypatch.setattr(Line, "has_room", lambda _, seconds: seconds > 1)
    checks = [{"output": "one"}, {"output": "two", "deadline_ms": 20}, {"output": "three"}]
    results = json.loads(api.post("/v1/checks/batch", {"checks": checks}).content)["results"]
    assert [result.get("verdict") or result["status"] for result in results] == ["allow", 503, "allow"]
    assert Check.objects.count() == 2


@pytest.mark.parametrize("where", ["intake", "accept", "run_checks"])
def test_a_database_that_makes_one_wait_too_long_is_asked_by_no_more_of_the_batch(
    api: ApiClient, monkeypatch: pytest.MonkeyPatch, where: str
) -> None:
    asked = []

    def fail(*given: Any) -> Any:
        asked.append(given)
        raise OperationalError

    monkeypatch.setattr(doors if where == "run_checks" else api_module, where, fail)
    checks = [{"output": str(number), "wait": where != "accept"} for number in range(40)]
    results = json.loads(api.post("/v1/checks/batch", {"checks": checks}).content)["results"]
    assert [result["status"] for result in results] == [503] * 40
    assert len(asked) == 1
