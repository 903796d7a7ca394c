"""Checks that come together go through in one round: each has its own answer, and its own failure."""

from __future__ import annotations

import asyncio
import gc
import json
import weakref
from typing import Any

import pytest
from django.db import OperationalError
from django.http import HttpResponse

from policies.models import PolicyVersion
from screening.engine import Job
from screening.findings import Text
from screening.policy import PolicyError
from tests.factories import Cast
from tests.interception.conftest import IN_THREADS, asgi_messages, in_a_loop, scope_of
from webapp.accounts.models import Project
from webapp.audit.models import AuditEvent
from webapp.interception import pipeline, screening
from webapp.interception.models import Check
from webapp.interception.screening import Screened
from webapp.local.processes import Supervisor

pytestmark = IN_THREADS


def ask_together(asked: list[dict[str, Any]]) -> list[tuple[int, dict[str, Any]]]:
    """Send what `scope_of` takes, all in one round, and return the answers in order."""

    async def one(request: dict[str, Any]) -> list[Any]:
        body = json.dumps(request.pop("body")).encode()
        return await asgi_messages(scope_of(request.pop("key"), body, **request), body)

    async def all_of_them() -> list[list[Any]]:
        return list(await asyncio.gather(*map(one, asked)))

    return [(start["status"], json.loads(answer["body"])) for start, answer in in_a_loop(all_of_them())]


def test_each_of_a_round_gets_its_own_answer(cast: Cast, screen_workers: Supervisor) -> None:
    fine, mail = {"output": "fine"}, {"output": "Write to ann@example.com."}
    stored = ask_together([{"key": cast.api_key, "body": fine, "idempotency_key": "old"}])[0][1]
    answers = ask_together(
        [
            {"key": cast.api_key, "body": fine},
            {"key": "csk_unknown", "body": fine},
            {"key": cast.api_key, "body": mail},
            {"key": cast.api_key, "body": {"output": 7}},
            {"key": cast.api_key, "body": {**fine, "policy": "none"}},
            {"key": cast.api_key, "body": fine, "idempotency_key": "old"},
            {"key": cast.api_key, "body": mail, "idempotency_key": "old"},
            {"key": cast.api_key, "body": fine, "idempotency_key": "new"},
            {"key": cast.api_key, "body": fine, "idempotency_key": "new"},
            {"key": cast.api_key, "body": fine, "prefer": "respond-async"},
            {"key": cast.api_key, "body": {**mail, "wait": False}},
        ]
    )
    assert [status for status, _ in answers] == [200, 401, 200, 400, 422, 200, 409, 200, 200, 202, 202]
    assert [answer.get("verdict") for _, answer in answers[:3]] == ["allow", None, "redact"]
    assert answers[5][1]["id"] == stored["id"]
    assert answers[7][1]["id"] == answers[8][1]["id"]
    assert Check.objects.count() == 6
    assert AuditEvent.objects.filter(type="check.concluded").count() == 4


def test_the_limit_of_a_project_is_that_of_its_rounds(cast: Cast, screen_workers: Supervisor) -> None:
    Project.objects.filter(pk=cast.project.pk).update(requests_per_minute=3)
    asked = [{"key": cast.api_key, "body": {"output": "fine"}} for _ in range(5)]
    assert sorted(status for status, _ in ask_together(asked)) == [200, 200, 200, 429, 429]
    assert Check.objects.count() == 3


def test_a_round_without_a_database_is_refused_whole(
    cast: Cast, screen_workers: Supervisor, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise OperationalError

    monkeypatch.setattr(pipeline, "store_each", fail)
    asked = [{"key": cast.api_key, "body": {"output": "fine"}} for _ in range(3)]
    assert [status for status, _ in ask_together(asked)] == [503] * 3
    monkeypatch.undo()
    assert [status for status, _ in ask_together([{"key": cast.api_key, "body": {"output": "fine"}}])] == [200]


def test_a_database_that_fails_one_is_not_asked_by_the_rest_of_its_round() -> None:
    asked = [pipeline.Asked(None, b"", None, None, None) for _ in range(4)]
    steps: list[pipeline.Asked] = []

    def step(one: pipeline.Asked) -> None:
        steps.append(one)
        if one is asked[1]:
            raise OperationalError

    assert pipeline._Answers().each(asked, step, "store") == asked[:1]
    assert steps == asked[:2]


def test_what_fails_for_one_is_its_own_failure(
    cast: Cast, screen_workers: Supervisor, monkeypatch: pytest.MonkeyPatch
) -> None:
    conclude = screening.conclude_job

    def fail_for_bad(job: Job, *rest: Any) -> Screened:
        if job.texts[0].text == "bad":
            raise ValueError
        return conclude(job, *rest)

    monkeypatch.setattr(pipeline, "conclude_job", fail_for_bad)
    asked = [{"key": cast.api_key, "body": {"output": text}} for text in ("fine", "bad", "good")]
    assert [status for status, _ in ask_together(asked)] == [200, 500, 200]


def test_a_policy_that_is_valid_no_longer_costs_its_neighbours_nothing(
    cast: Cast, screen_workers: Supervisor, monkeypatch: pytest.MonkeyPatch
) -> None:
    make = screening.make_job

    def fail_for_bad(version: PolicyVersion, texts: tuple[Text, ...], *rest: Any, **more: Any) -> Job:
        if texts[0].text == "bad":
            raise PolicyError([])
        return make(version, texts, *rest, **more)

    monkeypatch.setattr(pipeline, "make_job", fail_for_bad)
    asked = [{"key": cast.api_key, "body": {"output": text}} for text in ("fine", "bad", "good")]
    assert [status for status, _ in ask_together(asked)] == [200, 500, 200]


def test_a_connection_that_can_not_be_renewed_is_told_to_all(
    cast: Cast, screen_workers: Supervisor, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail() -> None:
        raise OperationalError

    monkeypatch.setattr(pipeline, "close_old_connections", fail)
    monkeypatch.setattr(pipeline, "IDLE_SECONDS", -1.0)
    asked = [{"key": cast.api_key, "body": {"output": "fine"}} for _ in range(3)]
    assert [status for status, _ in ask_together(asked)] == [503] * 3


def test_an_answer_is_not_kept_until_its_check_would_have_been_due(cast: Cast, screen_workers: Supervisor) -> None:
    async def ask_for(text: str) -> weakref.ref[HttpResponse]:
        answer: asyncio.Future[HttpResponse] = asyncio.get_running_loop().create_future()
        body = json.dumps({"output": text, "deadline_ms": 60_000}).encode()
        pipeline.submit(pipeline.Asked(cast.api_key, body, None, None, answer))
        response = await answer
        assert response.status_code == 200
        return weakref.ref(response)

    first = in_a_loop(ask_for("one"))
    in_a_loop(ask_for("two"))  # the round of the first is over
    gc.collect()
    assert first() is None
