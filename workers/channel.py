"""Channels of kombu's transport for Redis as our workers need them.

Those of workers that screen spare most calls to Redis. They make one client, and not one for each call: a client
takes redis-py longer to make than to use. And they write down nothing of the messages that a worker has taken, which
is two of four calls a message: what is written would bring back the message of a worker that died when its checks are
long over (docs/adr/0029-taken.md).

All of them treat a Redis that refuses writes as one that is away.
"""

from __future__ import annotations

import logging
from typing import Any

import redis
from kombu.transport import redis as transport
from kombu.transport import virtual
from kombu.utils.json import dumps

log = logging.getLogger(__name__)

#: A key that is never there: to delete it changes nothing, and is refused where writes are.
NOWHERE = "countersign.nowhere"


class Finished(transport.QoS):
    """kombu's notes of what is taken, which free the place of a finished message also when Redis can not be told.

    With all places taken nothing asks Redis for messages, so that nothing finds out that the connection broke: the
    worker would idle for ever. The message comes back later; tasks are safe to run twice.
    """

    def ack(self, delivery_tag: str) -> None:
        note: Any = super().ack
        try:
            note(delivery_tag)
        finally:
            self._quick_ack(delivery_tag)


class WritingChannel(transport.Channel):
    """A channel that opens only where Redis takes writes: elsewhere the worker pauses before it tries again."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        open_it: Any = super().__init__
        open_it(*args, **kwargs)
        try:
            with self.conn_or_acquire() as client:
                client.delete(NOWHERE)
        except redis.RedisError:
            close: Any = self._disconnect_pools
            close()
            raise


class ControlChannel(WritingChannel):
    """A channel of workers that use the database."""

    QoS = Finished


class Taken(virtual.QoS):
    """The messages that a worker has taken and not finished: as many as it may, and put back when it stops."""

    def restore_unacked(self) -> list[Any]:
        flush: Any = self._flush
        flush()
        try:
            # The oldest last, so that it is the next.
            for message in reversed(self._delivered.values()):
                self.channel.put_back(message)
        except (redis.RedisError, OSError) as error:
            # They are lost; kombu would write them to a file, texts and all.
            log.error("messages that were not finished could not be put back: %s", type(error).__name__)
        self._delivered.clear()
        return []


class ScreenChannel(WritingChannel):
    """A channel whose client for single calls is kept for as long as its pool of connections is."""

    ack_emulation = False
    _kept: Any = None

    @property
    def qos(self) -> Any:
        if self._qos is None:
            self._qos = Taken(self)  # type: ignore[no-untyped-call]  # kombu has no types
        return self._qos

    def put_back(self, message: Any) -> None:
        """Make a message that was taken the next of its queue."""
        queues_of: Any = self._lookup
        written: Any = dumps
        info = message.delivery_info
        with self.conn_or_acquire() as client:
            for queue in queues_of(info["exchange"], info["routing_key"]):
                client.rpush(queue, written(message.serializable()))

    def _create_client(self, asynchronous: bool = False) -> Any:
        make: Any = super()._create_client
        if asynchronous:
            return make(asynchronous=True)
        kept = self._kept
        if kept is None or kept.connection_pool is not self.pool:
            self._kept = kept = make()
        return kept


def use_channel(channel: type[transport.Channel]) -> None:
    """Have every connection of this process to redis:// and rediss:// brokers use such channels.

    Such a connection is given up, and made anew, also where Redis refuses what it is asked for.
    """
    transport.Transport.Channel = channel
    # A Redis that was the primary until a moment ago refuses to give messages out, and so does one that must not write
    # now. kombu counts that among the errors of a channel, at which Celery ends the worker; to connect again finds the
    # new primary, or this one when it may write again.
    errors: Any = transport.Transport
    if redis.ResponseError not in errors.connection_errors:
        errors.connection_errors = (*errors.connection_errors, redis.ResponseError)
