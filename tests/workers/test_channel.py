"""The channels of workers: one client, anew when its connections were given up; what is taken is put back."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import kombu.connection
import kombu.entity
import pytest
import redis

from workers.channel import ScreenChannel, use_screen_channel

QUEUE = "test.taken"


@pytest.fixture
def connection(redis_url: str) -> Iterator[Any]:
    use_screen_channel()
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
    taken: list[Any] = []
    for number in range(3):
        connection.Producer().publish({"number": number}, routing_key=QUEUE, serializer="json")
    make_queue: Any = kombu.entity.Queue
    channel = connection.channel()
    channel.basic_qos(0, 2, False)
    connection.Consumer([make_queue(QUEUE)], channel, on_message=taken.append).consume()
    for _ in range(2):
        connection.drain_events(timeout=5)
    with pytest.raises(TimeoutError):
        connection.drain_events(timeout=0.1)
    assert (len(taken), server.llen(QUEUE), server.exists("unacked")) == (2, 1, 0)
    taken[0].ack()
    channel.close()
    assert server.llen(QUEUE) == 2
    server.delete(QUEUE)
