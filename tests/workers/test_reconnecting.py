"""How long a worker waits before it tries again to reach a Redis that is away."""

from __future__ import annotations

from typing import Any

import pytest
from celery import Celery
from kombu.exceptions import OperationalError

from webapp.celery import app as control
from workers.app import app as screening

NOBODY = "redis://127.0.0.1:1/0"


@pytest.mark.parametrize("app", [control, screening], ids=["control", "screening"])
def test_the_pauses_do_not_grow(app: Celery, monkeypatch: pytest.MonkeyPatch) -> None:
    slept: list[float] = []
    monkeypatch.setattr("kombu.utils.functional.sleep", slept.append)
    said: list[float] = []

    def failed(_error: Exception, pause: float) -> None:
        said.append(pause)

    # As Celery's consumer calls it.
    connection: Any = app.connection_for_read(NOBODY)
    with pytest.raises(OperationalError):
        connection.ensure_connection(failed, 20, callback=lambda: None)
    assert said == [1] * 20
    assert sum(slept) == 20


@pytest.mark.parametrize("app", [control, screening], ids=["control", "screening"])
def test_what_sends_over_a_connection_connects_again(app: Celery, redis_url: str) -> None:
    revived: list[Any] = []
    lost = [ConnectionError()]

    class Sender:
        def revive(self, channel: Any) -> None:
            revived.append(channel)

    def send() -> str:
        if lost:
            raise lost.pop()
        return "sent"

    # As beat's producer calls it.
    with app.connection_for_write(redis_url) as connection:
        assert connection.ensure(Sender(), send, max_retries=3)() == "sent"
    assert len(revived) == 1
