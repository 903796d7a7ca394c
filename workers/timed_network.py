"""Connections on which a whole exchange has one limit: the usual ones are for each read, and a server may send one byte
at a time, in its headers too.

A thread says until when with `limit`, then makes its call; connections go from thread to thread.
"""

from __future__ import annotations

import ssl
import threading
from collections.abc import Iterable
from typing import Any

import httpcore
import httpx

from screening.findings import Deadline


class Limit(threading.local):
    """Until when what this thread sends and reads may take."""

    until = Deadline()

    def left(self, late: type[httpcore.TimeoutException]) -> float | None:
        """Return the seconds left, None without a limit; raise `late` where there are none."""
        left = self.until.remaining()
        if left <= 0:
            raise late
        return None if left == float("inf") else left


def timed_transport(limit: Limit, *, connections: int) -> httpx.HTTPTransport:
    """Return a transport with at most that many connections, each read and write of which ends at `limit`."""
    transport = httpx.HTTPTransport(trust_env=False)
    # httpx has no parameter for it; tests/workers/test_slow_endpoints.py fails where this has no effect.
    transport._pool = httpcore.ConnectionPool(
        ssl_context=httpx.create_ssl_context(trust_env=False),
        max_connections=connections,
        max_keepalive_connections=connections,
        keepalive_expiry=5.0,
        network_backend=_Network(limit),
    )
    return transport


class _Network(httpcore.NetworkBackend):
    def __init__(self, limit: Limit) -> None:
        self._limit = limit
        self._plain = httpcore.SyncBackend()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.NetworkStream:
        left = self._limit.left(httpcore.ConnectTimeout)
        return _Stream(self._plain.connect_tcp(host, port, left, local_address, socket_options), self._limit)


class _Stream(httpcore.NetworkStream):
    def __init__(self, plain: httpcore.NetworkStream, limit: Limit) -> None:
        self._plain, self._limit = plain, limit

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._plain.read(max_bytes, self._limit.left(httpcore.ReadTimeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        # Not the plain stream's: its limit is for each of the sends that it needs.
        own, rest = self._plain.get_extra_info("socket"), memoryview(buffer)
        try:
            while rest:
                own.settimeout(self._limit.left(httpcore.WriteTimeout))
                rest = rest[own.send(rest) :]
        except TimeoutError:
            raise httpcore.WriteTimeout from None
        except OSError as error:
            raise httpcore.WriteError from error

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        left = self._limit.left(httpcore.ConnectTimeout)
        return _Stream(self._plain.start_tls(ssl_context, server_hostname, left), self._limit)

    def get_extra_info(self, info: str) -> Any:
        return self._plain.get_extra_info(info)

    def close(self) -> None:
        self._plain.close()
