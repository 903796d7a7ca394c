"""Endpoints so slow that no single read or write is late: the call ends at its limit all the same."""

from __future__ import annotations

import contextlib
import itertools
import socket
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from screening.findings import Deadline, DeadlineExceeded
from screening.models_file import GuardLlm
from workers.endpoints import Endpoint

HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
ANSWER = b'{"choices": [{"message": {"content": "safe"}}]}'
LIMIT_MS = 300
#: Seconds between two pieces, and how many there are: far less and far more than the limit of a call.
PAUSE = 0.03
PIECES = 200


def drip(*starts: bytes) -> Callable[[socket.socket], None]:
    """Return a way to answer: `starts` at once, then one letter after the other."""

    def answer(client: socket.socket) -> None:
        client.recv(65_536)
        for piece in itertools.chain(starts, itertools.repeat(b"a", PIECES)):
            client.sendall(piece)
            time.sleep(PAUSE)

    return answer


def take_slowly(client: socket.socket) -> None:
    for _ in range(PIECES):
        if not client.recv(4_096):
            return
        time.sleep(PAUSE)


def answer_at_once(client: socket.socket) -> None:
    client.recv(65_536)
    client.sendall(HEAD + b"Content-Length: %d\r\n\r\n" % len(ANSWER) + ANSWER)


@contextlib.contextmanager
def serving(*answers: Callable[[socket.socket], None]) -> Iterator[Endpoint]:
    """Yield an endpoint that takes one call at a time, and whose connections are answered in these ways, in turn."""
    listener = socket.create_server(("127.0.0.1", 0))
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)

    def serve(client: socket.socket, answer: Callable[[socket.socket], None]) -> None:
        with client, contextlib.suppress(OSError):
            client.settimeout(PIECES * PAUSE)
            answer(client)

    def accept() -> None:
        with ThreadPoolExecutor(len(answers)) as pool:
            for answer in answers:
                pool.submit(serve, listener.accept()[0], answer)

    accepting = threading.Thread(target=accept)
    accepting.start()
    port = listener.getsockname()[1]
    url = f"http://127.0.0.1:{port}/v1"
    config = GuardLlm(url=url, model="m", format="llama_guard", timeout_ms=LIMIT_MS, concurrency=1)
    endpoint = Endpoint("guard", config)
    try:
        yield endpoint
    finally:
        endpoint.close()
        listener.close()
        accepting.join()


@pytest.mark.parametrize(
    ("answer", "size"),
    [
        (drip(b"HTTP/1.1 200 "), 1),
        (drip(HEAD, b"X-Padding: "), 1),
        (drip(HEAD, b"Content-Length: 100000\r\n\r\n"), 1),
        (drip(HEAD, b"Transfer-Encoding: chunked\r\n\r\n1;"), 1),
        (take_slowly, 30_000_000),
    ],
    ids=["status", "header", "body", "chunk", "request"],
)
def test_a_call_ends_at_its_limit_and_gives_its_place_to_the_next(
    answer: Callable[[socket.socket], None], size: int
) -> None:
    with serving(answer, answer_at_once) as endpoint:
        began = time.monotonic()
        late = endpoint.chat({"messages": "x" * size}, Deadline())
        following = endpoint.chat({"messages": "x"}, Deadline())
        with pytest.raises(DeadlineExceeded):
            late.result(30)
        assert time.monotonic() - began < PIECES * PAUSE / 2
        assert following.result(30).text == "safe"
