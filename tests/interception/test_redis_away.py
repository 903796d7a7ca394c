"""Asynchronous checks while Redis is away: accepted, sent by the sweeper, and in nobody's way."""

from __future__ import annotations

import asyncio
import json
import threading
import time
import uuid
from collections.abc import Callable, Iterator

import pytest
from celery import Celery
from django.http import HttpResponse
from kombu.exceptions import OperationalError

from tests.factories import Cast
from tests.interception.conftest import IN_THREADS, ApiClient, in_a_loop
from webapp.celery import app as control
from webapp.interception import pipeline, services
from webapp.interception.doors import accept
from webapp.interception.models import Check
from webapp.interception.rows import Intake
from webapp.local.home import free_port
from webapp.local.processes import Supervisor
from workers.broker import celery_settings
from workers.client import PATIENCE_SECONDS


@pytest.fixture(params=["refused", "silent_redis", "deaf_redis"])
def away(request: pytest.FixtureRequest) -> str:
    """Return the address of a Redis that is not there, one that says nothing, and one that can not be reached."""
    if request.param == "refused":
        return f"redis://127.0.0.1:{free_port()}/0"
    return str(request.getfixturevalue(request.param).url)


@pytest.fixture
def sending_there(away: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Celery]:
    """Have the messages of this process, which sends as web processes do, go to that Redis."""
    app = Celery("elsewhere", fixups=set(), set_as_current=False)
    app.conf.update(celery_settings(away))
    app.conf.broker_transport_options = control.conf.broker_transport_options
    app.conf.task_publish_retry = control.conf.task_publish_retry
    monkeypatch.setattr(services, "control", app)
    yield app
    app.close()


@IN_THREADS
def test_what_is_known_not_to_arrive_is_accepted_and_not_sent(
    away: str, cast: Cast, use_broker: Callable[[str], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    use_broker(away)
    monkeypatch.setattr(control, "send_task", lambda *_, **__: pytest.fail("sent"))
    for _ in range(2):
        response = ApiClient(cast.api_key).post("/v1/checks", {"output": "x", "wait": False})
        assert (response.status_code, json.loads(response.content)["state"]) == (202, "pending")
    assert Check.objects.filter(state="pending").count() == 2


@pytest.mark.usefixtures("sending_there")
def test_who_sends_when_redis_goes_away_does_not_wait_for_it_long(
    redis_url: str, use_broker: Callable[[str], None]
) -> None:
    use_broker(redis_url)  # which answered a moment ago
    start = time.monotonic()
    services._send_for_conclusion(uuid.uuid4())
    assert time.monotonic() - start < 3 * PATIENCE_SECONDS


def test_what_else_is_sent_makes_no_later_message_wait(
    sending_there: Celery, redis_url: str, use_broker: Callable[[str], None]
) -> None:
    use_broker(redis_url)
    with pytest.raises(OperationalError):
        sending_there.send_task("feedback.export")  # as tasks are sent from pages
    start = time.monotonic()
    services._send_for_conclusion(uuid.uuid4())
    assert time.monotonic() - start < 3 * PATIENCE_SECONDS


@IN_THREADS
def test_checks_that_wait_for_their_answer_do_not_wait_for_asynchronous_ones(
    cast: Cast, screen_workers: Supervisor, monkeypatch: pytest.MonkeyPatch
) -> None:
    answered = threading.Event()

    def accept_after_the_other(item: Intake) -> Check:
        assert answered.wait(30)
        return accept(item)

    monkeypatch.setattr(pipeline, "accept", accept_after_the_other)

    async def ask_in_one_round() -> list[int]:
        answers: list[asyncio.Future[HttpResponse]] = [asyncio.get_running_loop().create_future() for _ in range(2)]
        answers[1].add_done_callback(lambda _: answered.set())
        bodies = [json.dumps({"output": "fine", "wait": wait}).encode() for wait in (False, True)]
        asked = [
            pipeline.Asked(cast.api_key, body, None, None, answer) for body, answer in zip(bodies, answers, strict=True)
        ]
        pipeline._admission.put(asked)
        return [response.status_code for response in await asyncio.gather(*answers)]

    assert in_a_loop(ask_in_one_round()) == [202, 200]
