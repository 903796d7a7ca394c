"""Channels of kombu's transport for Redis that spare a worker most of its calls to Redis.

They make one client, and not one for each call: a client takes redis-py longer to make than to use. And they write down
nothing of the messages that a worker has taken, which is two of four calls a message: what is written would bring back
the message of a worker that died when its checks are long over (docs/adr/0029-taken.md).
"""

from __future__ import annotations

from typing import Any

from kombu.transport import redis as transport
from kombu.transport import virtual


class Taken(virtual.QoS):
    """The messages that a worker has taken and not finished: as many as it may, and put back when it stops."""

    def restore_unacked(self) -> list[Any]:
        restore: Any = super().restore_unacked
        restore()
        # What can not be put back is lost; kombu would write it to a file, texts and all.
        return []


class ScreenChannel(transport.Channel):
    """A channel whose client for single calls is kept for as long as its pool of connections is."""

    ack_emulation = False
    _kept: Any = None

    @property
    def qos(self) -> Any:
        if self._qos is None:
            self._qos = Taken(self)  # type: ignore[no-untyped-call]  # kombu has no types
        return self._qos

    def _create_client(self, asynchronous: bool = False) -> Any:
        make: Any = super()._create_client
        if asynchronous:
            return make(asynchronous=True)
        kept = self._kept
        if kept is None or kept.connection_pool is not self.pool:
            self._kept = kept = make()
        return kept


def use_screen_channel() -> None:
    """Have every connection of this process to redis:// and rediss:// brokers use such channels."""
    transport.Transport.Channel = ScreenChannel
