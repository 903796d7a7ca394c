"""Channels of kombu's transport for Redis that make one client, and not one for each call.

A client takes redis-py longer to make than to use, and a worker made one to note that it has taken a message, and one
to acknowledge it.
"""

from __future__ import annotations

from typing import Any

from kombu.transport import redis as transport


class OneClientChannel(transport.Channel):
    """A channel whose client for single calls is kept for as long as its pool of connections is."""

    _kept: Any = None

    def _create_client(self, asynchronous: bool = False) -> Any:
        make: Any = super()._create_client
        if asynchronous:
            return make(asynchronous=True)
        kept = self._kept
        if kept is None or kept.connection_pool is not self.pool:
            self._kept = kept = make()
        return kept


def use_one_client() -> None:
    """Have every connection of this process to redis:// and rediss:// brokers use such channels."""
    transport.Transport.Channel = OneClientChannel
