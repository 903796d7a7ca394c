"""The project's limit of checks a minute: what it refuses costs nothing, and nobody gets more than is left."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.factories import Cast
from tests.interception.conftest import ApiClient
from webapp.interception.auth import _counter, spend, within_limit
from webapp.interception.models import Check
from webapp.interception.problems import Problem

LIMIT = 5


@pytest.fixture
def api(both_doors: ApiClient, cast: Cast) -> ApiClient:
    cast.project.requests_per_minute = LIMIT
    cast.project.save()
    return both_doors


def batch(size: int) -> dict[str, list[dict[str, str]]]:
    return {"checks": [{"output": "fine"}] * size}


def test_a_batch_that_no_minute_has_room_for_is_told_to_be_split_and_costs_nothing(api: ApiClient) -> None:
    for path, body in [("/v1/checks/batch", batch(LIMIT + 1)), ("/openai/v1/moderations", {"input": ["a"] * 6})]:
        response = api.post(path, body)
        assert response.status_code == 413
        assert "Split the batch" in response.content.decode()
        assert "Retry-After" not in response
    assert [api.post("/v1/checks", {"output": "x"}).status_code for _ in range(LIMIT)] == [200] * LIMIT


def test_a_batch_that_does_not_fit_any_more_leaves_what_is_left_to_others(api: ApiClient) -> None:
    assert api.post("/v1/checks/batch", batch(3)).status_code == 200
    refused = [api.post("/v1/checks/batch", batch(3)) for _ in range(3)]
    assert [response.status_code for response in refused] == [429] * 3
    assert int(refused[0]["Retry-After"]) > 0
    codes = [api.post("/v1/checks", {"output": "x"}).status_code for _ in range(4)]
    assert codes == [200, 200, 429, 429]
    assert Check.objects.count() == LIMIT


def test_a_batch_that_is_refused_for_its_key_costs_nothing(api: ApiClient) -> None:
    assert api.post("/v1/checks/batch", batch(LIMIT), Idempotency_Key="k" * 256).status_code == 400
    assert api.post("/v1/checks/batch", batch(LIMIT)).status_code == 200


def test_texts_without_a_policy_cost_nothing(api: ApiClient, cast: Cast) -> None:
    name, cast.project.default_policy = cast.project.default_policy, "gone"
    cast.project.save()
    assert api.post("/openai/v1/moderations", {"input": ["a"] * LIMIT}).status_code == 422
    cast.project.default_policy = name
    cast.project.save()
    assert api.post("/v1/checks/batch", batch(LIMIT)).status_code == 200


def test_of_those_who_come_together_nobody_gets_what_another_has(cast: Cast, redis_url: str) -> None:
    cast.project.requests_per_minute = 50

    def take(_: int) -> int:
        try:
            spend(cast.project, 7)
        except Problem:
            return 0
        return 7

    with ThreadPoolExecutor(16) as pool:
        assert sum(pool.map(take, range(64))) == 49
    assert [within_limit(cast.project, 3) for _ in range(2)] == [1, 0]


def test_the_count_ends_with_its_minute(cast: Cast, redis_url: str) -> None:
    cast.project.requests_per_minute = 50
    assert [within_limit(cast.project, 3) for _ in range(2)] == [3, 3]
    counts = _counter().storage.storage
    (key,) = counts.keys(f"*{cast.project.id}*")
    assert 0 < counts.ttl(key) <= 60
