"""A light load: clients on kept-alive connections, each with one request at a time, in one thread.

It shares the cores with what it measures, so it does no more than it must while it asks: answers are taken apart when
all have come.
"""

from __future__ import annotations

import heapq
import itertools
import selectors
import socket
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

#: How long the last answers are waited for.
PATIENCE_SECONDS = 120.0
_LENGTH = b"content-length: "


@dataclass(slots=True)
class Answer:
    """What came of one request: seconds it took, status, the `Server-Timing` header, the body."""

    seconds: float
    status: int
    stages: str
    body: bytes


class _Client:
    """One connection, and the answer that is on its way over it."""

    def __init__(self, address: tuple[str, int]) -> None:
        self.socket = socket.create_connection(address, timeout=PATIENCE_SECONDS)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.start = 0.0
        self._came = b""
        self._needed = 0

    def ask(self, request: bytes) -> None:
        self.start, self._came, self._needed = time.perf_counter(), b"", 0
        self.socket.sendall(request)

    def read(self) -> bytes | None:
        """Take what came; return the answer when it is whole. Raises ConnectionError."""
        part = self.socket.recv(1 << 18)
        if not part:
            raise ConnectionError("the server hung up")
        self._came += part
        if not self._needed and (end := self._came.find(b"\r\n\r\n")) > 0:
            head = self._came[:end].lower()
            place = head.index(_LENGTH) + len(_LENGTH)
            self._needed = end + 4 + int(head[place:].split(b"\r\n", 1)[0])
        return self._came if self._needed and len(self._came) >= self._needed else None


def ask(url: str, key: str, bodies: Sequence[bytes], *, clients: int, seconds: float, most: int) -> list[Answer]:
    """POST `bodies` by turns to /v1/checks for `seconds`, `most` of them at the most, and return the answers."""
    address = urlsplit(url)
    head = f"POST /v1/checks HTTP/1.1\r\nHost: {address.netloc}\r\nContent-Type: application/json\r\n"
    if key:
        head += f"Authorization: Bearer {key}\r\n"
    requests = [f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body for body in bodies]
    turns = itertools.islice(itertools.cycle(requests), most)
    opened = [_Client((address.hostname or "127.0.0.1", address.port or 80)) for _ in range(clients)]
    try:
        came = _run(opened, turns, time.perf_counter() + seconds)
    finally:
        for client in opened:
            client.socket.close()
    return [_answer(took, raw) for took, raw in came]


def _run(clients: Sequence[_Client], turns: Iterator[bytes], end: float) -> list[tuple[float, bytes]]:
    """Return the answers, each with the seconds that it took."""
    came: list[tuple[float, bytes]] = []
    #: When who is told to come again later is to ask, and how many wait for an answer.
    later: list[tuple[float, int]] = []
    asking = 0

    def ask_next(client: _Client) -> int:
        if time.perf_counter() >= end or (request := next(turns, None)) is None:
            return 0
        client.ask(request)
        return 1

    with selectors.DefaultSelector() as selector:
        for number, client in enumerate(clients):
            selector.register(client.socket, selectors.EVENT_READ, number)
            asking += ask_next(client)
        while asking or later:
            wait = max(0.0, later[0][0] - time.perf_counter()) if later else PATIENCE_SECONDS
            ready = selector.select(wait)
            if not ready and not later:
                raise TimeoutError("the server does not answer")
            for key, _ in ready:
                client = clients[key.data]
                if (raw := client.read()) is None:
                    continue
                came.append((time.perf_counter() - client.start, raw))
                if pause := _pause(raw):
                    heapq.heappush(later, (min(end, time.perf_counter() + pause), key.data))
                    asking -= 1
                else:
                    asking += ask_next(client) - 1
            while later and later[0][0] <= time.perf_counter():
                asking += ask_next(clients[heapq.heappop(later)[1]])
    return came


def _pause(raw: bytes) -> float:
    """Return the seconds after which a caller who was refused is to come again."""
    return 0.0 if raw[9:12] == b"200" else float(_headers(raw).get("retry-after", "0"))


def _headers(raw: bytes) -> dict[str, str]:
    head = raw[: raw.index(b"\r\n\r\n")].decode("latin1").lower()
    return dict(line.split(": ", 1) for line in head.split("\r\n")[1:])


def _answer(seconds: float, raw: bytes) -> Answer:
    body = raw[raw.index(b"\r\n\r\n") + 4 :]
    return Answer(seconds, int(raw[9:12]), _headers(raw).get("server-timing", ""), body)
