"""What a worker says while it lives: its keys, and in its log that clocks are apart."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest
import redis

from workers import alive
from workers.messages import alive_key
from workers.roster import PREFIX, Worker


class Ended(Exception):
    """The process is over."""


@pytest.fixture
def broker(redis_url: str) -> Iterator[redis.Redis]:
    with redis.Redis.from_url(redis_url) as client:
        yield client
        client.delete(alive_key("a queue"), f"{PREFIX}a worker")


def say(broker: redis.Redis, monkeypatch: pytest.MonkeyPatch, times: int = 3) -> None:
    monkeypatch.setattr(alive, "SAY_SECONDS", 0.0)
    answers = iter([True] * times)

    def connected() -> bool:
        if next(answers, None) is None:
            raise Ended
        return True

    with pytest.raises(Ended):
        alive._keep(broker, lambda: Worker("a worker", ("a queue",)), connected)


@pytest.mark.parametrize(("seconds", "told"), [(3.0, "3.0 seconds ahead of"), (-2.0, "2.0 seconds behind")])
def test_a_clock_that_is_off_is_told_of_once_a_minute(
    broker: redis.Redis,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    seconds: float,
    told: str,
) -> None:
    real = time.time
    monkeypatch.setattr("workers.alive.time.time", lambda: real() + seconds)
    say(broker, monkeypatch)
    assert broker.exists(alive_key("a queue"))
    (line,) = caplog.messages
    assert told in line


def test_a_clock_that_is_right_is_not_told_of(
    broker: redis.Redis, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    say(broker, monkeypatch)
    assert caplog.messages == []


def test_nothing_is_said_without_a_connection_to_take_messages_by(
    broker: redis.Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(alive, "LOOK_SECONDS", 0.0)
    answers = iter([False] * 3)

    def connected() -> bool:
        if next(answers, None) is None:
            raise Ended
        return False

    with pytest.raises(Ended):
        alive._keep(broker, lambda: Worker("a worker", ("a queue",)), connected)
    assert not broker.exists(alive_key("a queue"))
