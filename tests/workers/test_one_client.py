"""The channels of workers make one client, anew when their connections were given up."""

from __future__ import annotations

from typing import Any

import kombu.connection

from workers.one_client import OneClientChannel, use_one_client


def test_calls_share_a_client_until_its_pool_is_gone(redis_url: str) -> None:
    use_one_client()
    connect: Any = kombu.connection.Connection
    with connect(redis_url) as connection:
        channel: Any = connection.channel()
        assert OneClientChannel in type(channel).__mro__
        with channel.conn_or_acquire() as one, channel.conn_or_acquire() as other:
            assert one is other
            assert one.ping()
        channel._disconnect_pools()
        with channel.conn_or_acquire() as new:
            assert new is not one
            assert new.ping()
        assert channel.client is not new  # which blocks while it waits for messages
