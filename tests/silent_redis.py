"""A Redis that hangs: one that takes connections and never says a word, and one that does not even take them."""

from __future__ import annotations

import socket
import threading
from contextlib import suppress


class SilentRedis:
    """Counts who came; `close` ends it."""

    def __init__(self) -> None:
        self._server = socket.create_server(("127.0.0.1", 0))
        self._callers: list[socket.socket] = []
        self._thread = threading.Thread(target=self._accept, name="silent-redis")
        self._thread.start()

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self._server.getsockname()[1]}/0"

    def callers(self) -> int:
        """Return how many connections were made. Whoever gave up has been accepted by then."""
        return len(self._callers)

    def close(self) -> None:
        """Send everybody away."""
        self._server.shutdown(socket.SHUT_RDWR)
        self._thread.join()
        self._server.close()
        for caller in self._callers:
            caller.close()

    def _accept(self) -> None:
        with suppress(OSError):  # closed
            while True:
                self._callers.append(self._server.accept()[0])


class DeafRedis:
    """Takes no connection: so many wait for it that the system answers nobody else. `close` ends it."""

    def __init__(self) -> None:
        self._server = socket.create_server(("127.0.0.1", 0), backlog=0)
        self._callers: list[socket.socket] = []
        with suppress(TimeoutError):
            while True:
                self._callers.append(socket.create_connection(self._server.getsockname(), timeout=0.2))

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self._server.getsockname()[1]}/0"

    def close(self) -> None:
        """Send everybody away."""
        for one in (*self._callers, self._server):
            one.close()
