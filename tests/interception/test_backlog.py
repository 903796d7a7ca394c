"""What a check waits for its round counts: its deadline begins when it was asked, not when somebody gets to it."""

from __future__ import annotations

import asyncio
import datetime as dt
import json
from typing import Any

import pytest
from django.http import HttpResponse
from django.utils import timezone

from tests.factories import Cast
from tests.interception.conftest import IN_THREADS, in_a_loop
from webapp.interception import pipeline
from webapp.interception.models import Check
from webapp.interception.problems import Problem
from webapp.interception.rows import Intake
from webapp.interception.schemas import CheckRequest
from webapp.local.processes import Supervisor


def ask_after(seconds: float, key: str, *, idempotency_key: str | None = None, **fields: Any) -> HttpResponse:
    """Return the answer to a check that has waited for its round for so long."""

    async def ask() -> HttpResponse:
        answer: asyncio.Future[HttpResponse] = asyncio.get_running_loop().create_future()
        body = json.dumps({"output": "fine", **fields}).encode()
        created = timezone.now() - dt.timedelta(seconds=seconds)
        pipeline.submit(pipeline.Asked(key, body, idempotency_key, None, answer, created=created))
        return await answer

    return in_a_loop(ask())


@IN_THREADS
def test_what_was_due_before_its_round_began_is_refused(cast: Cast, screen_workers: Supervisor) -> None:
    refused = ask_after(10, cast.api_key, deadline_ms=5_000)
    assert (refused.status_code, refused["Retry-After"]) == (503, "1")
    assert not Check.objects.exists()


@IN_THREADS
def test_the_wait_is_part_of_what_a_check_took(cast: Cast, screen_workers: Supervisor) -> None:
    answer = ask_after(10, cast.api_key, deadline_ms=50_000)
    assert answer.status_code == 200
    took = json.loads(answer.content)["timings"]["total_ms"]
    assert 10_000 <= took < 50_000


@IN_THREADS
def test_a_retry_and_what_may_wait_are_not_refused(cast: Cast, screen_workers: Supervisor) -> None:
    assert ask_after(0, cast.api_key, idempotency_key="k", deadline_ms=5_000).status_code == 200
    assert ask_after(10, cast.api_key, idempotency_key="k", deadline_ms=5_000).status_code == 200
    assert ask_after(10, cast.api_key, deadline_ms=5_000, wait=False).status_code == 202


@pytest.mark.parametrize(
    ("waited", "deadline_ms", "refused"),
    # A deadline that no round can keep is the caller's own, and its rules are unscanned.
    [(1.1, 1000, True), (0.9, 1000, False), (0.05, 1, False), (0.5, 1, True)],
)
def test_only_a_backlog_refuses(cast: Cast, waited: float, deadline_ms: int, refused: bool) -> None:
    one = pipeline.Asked(None, b"", None, None, None)
    one.intake = Intake(cast.application, cast.policy_version, CheckRequest(output="x", deadline_ms=deadline_ms), None)
    began = one.created.timestamp() + waited
    if refused:
        with pytest.raises(Problem, match="waits"):
            pipeline._prepare(began, one)
    else:
        pipeline._prepare(began, one)
        assert one.job is not None
        assert one.job.deadline == pytest.approx(began - waited + deadline_ms / 1000)
