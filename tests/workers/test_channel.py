"""The channels of workers: one client, anew when its connections were given up; what is taken is put back."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, cast

import kombu.connection
import kombu.entity
import pytest
import redis
from kombu.transport import redis as transport

from webapp.local.home import Home, open_home
from webapp.local.processes import Supervisor
from webapp.local.redis import Redis
from workers.channel import ControlChannel, ScreenChannel, use_channel

QUEUE = "test.taken"
MAKE_QUEUE: Any = kombu.entity.Queue
CONTROL = """
from celery.signals import worker_init
from kombu.transport.redis import Transport
import webapp.celery
print(Transport.Channel.__name__)
worker_init.send(sender=None)
print(Transport.Channel.__name__)
"""


@pytest.fixture(autouse=True)
def own_class(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave other tests the class that they had."""
    monkeypatch.setattr(transport.Transport, "Channel", transport.Transport.Channel)


@pytest.fixture
def connection(redis_url: str) -> Iterator[Any]:
    use_channel(ScreenChannel)
    connect: Any = kombu.connection.Connection
    with connect(redis_url) as connection:
        yield connection


def test_calls_share_a_client_until_its_pool_is_gone(connection: Any) -> None:
    channel: Any = connection.channel()
    assert ScreenChannel in type(channel).__mro__
    with channel.conn_or_acquire() as one, channel.conn_or_acquire() as other:
        assert one is other
        assert one.ping()
    channel._disconnect_pools()
    with channel.conn_or_acquire() as new:
        assert new is not one
        assert new.ping()
    assert channel.client is not new  # which blocks while it waits for messages


def test_what_is_taken_is_bounded_and_put_back(connection: Any, redis_url: str) -> None:
    server: Any = redis.Redis.from_url(redis_url)
    channel, taken = all_taken(connection, ScreenChannel)
    with pytest.raises(TimeoutError):
        connection.drain_events(timeout=0.1)
    assert (len(taken), server.llen(QUEUE), server.exists("unacked")) == (2, 1, 0)
    taken[0].ack()
    channel.close()
    assert server.llen(QUEUE) == 2
    again: list[Any] = []
    with connection.clone() as later:
        later.Consumer([MAKE_QUEUE(QUEUE)], later.channel(), on_message=again.append).consume()
        later.drain_events(timeout=5)
    assert again[0].payload == {"number": 1}, "before what came after it"
    server.delete(QUEUE)


def test_messages_that_can_not_be_put_back_are_lost_without_a_trace_of_their_texts(
    home: Home, caplog: pytest.LogCaptureFixture
) -> None:
    with own_redis(home) as (supervisor, connection):
        channel, _ = all_taken(connection, ScreenChannel)
        supervisor.stop()
        channel.qos.restore_unacked()
    assert caplog.messages == ["messages that were not finished could not be put back: ConnectionError"]


def test_a_worker_with_all_places_taken_notices_that_redis_died(home: Home) -> None:
    with own_redis(home) as (supervisor, connection):
        _, taken = all_taken(connection, ControlChannel)
        supervisor.stop()
        for message in taken:
            with pytest.raises(redis.ConnectionError):
                message.ack()
        # It asks for more, and not only waits for time to pass.
        with pytest.raises(redis.ConnectionError):
            connection.drain_events(timeout=5)


def test_workers_that_use_the_database_have_such_a_channel() -> None:
    said = subprocess.run([sys.executable, "-c", CONTROL], capture_output=True, text=True, check=True).stdout
    assert said.split() == ["Channel", "ControlChannel"]


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return open_home(tmp_path / "var")


@contextmanager
def own_redis(home: Home) -> Iterator[tuple[Supervisor, Any]]:
    """Run a Redis that a test may stop, and connect to it."""
    server, connect = Redis(home), cast(Any, kombu.connection.Connection)
    with Supervisor(home.log, report=print) as supervisor:
        supervisor.start(server.process())
        supervisor.wait_until(server.accepts, timeout=10, what="Redis")
        connection = connect(server.url)
        yield supervisor, connection
        connection.release()


def all_taken(connection: Any, channel_class: type[Any]) -> tuple[Any, list[Any]]:
    """Take two of three messages, as many as may be, with such a channel; return the channel and them."""
    use_channel(channel_class)
    taken: list[Any] = []
    for number in range(3):
        connection.Producer().publish({"number": number}, routing_key=QUEUE, serializer="json")
    channel = connection.channel()
    channel.basic_qos(0, 2, False)
    connection.Consumer([MAKE_QUEUE(QUEUE)], channel, on_message=taken.append).consume()
    for _ in range(2):
        connection.drain_events(timeout=5)
    return channel, taken
