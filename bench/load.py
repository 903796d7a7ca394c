"""A light load: clients on kept-alive connections, each with one request at a time, in one thread."""

from __future__ import annotations

import asyncio
import itertools
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit


@dataclass(slots=True)
class Answer:
    """What came of one request: seconds it took, status, the `Server-Timing` header, the body."""

    seconds: float
    status: int
    stages: str
    body: bytes


def ask(url: str, key: str, bodies: Sequence[bytes], *, clients: int, seconds: float, most: int) -> list[Answer]:
    """POST `bodies` by turns to /v1/checks for `seconds`, `most` of them at the most, and return the answers."""
    address = urlsplit(url)
    head = f"POST /v1/checks HTTP/1.1\r\nHost: {address.netloc}\r\nContent-Type: application/json\r\n"
    if key:
        head += f"Authorization: Bearer {key}\r\n"
    requests = [f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body for body in bodies]
    turns = itertools.islice(itertools.cycle(requests), most)
    answers: list[Answer] = []

    async def run() -> None:
        end = time.perf_counter() + seconds
        both = address.hostname or "127.0.0.1", address.port or 80
        await asyncio.gather(*(_client(*both, turns, end, answers) for _ in range(clients)))

    asyncio.run(run())
    return answers


async def _client(host: str, port: int, turns: Iterator[bytes], end: float, answers: list[Answer]) -> None:
    reader, writer = await asyncio.open_connection(host, port)
    try:
        while time.perf_counter() < end and (request := next(turns, None)) is not None:
            start = time.perf_counter()
            writer.write(request)
            head = await reader.readuntil(b"\r\n\r\n")
            headers = dict(line.lower().split(b": ", 1) for line in head.split(b"\r\n")[1:-2])
            body = await reader.readexactly(int(headers[b"content-length"]))
            stages = headers.get(b"server-timing", b"").decode()
            answers.append(Answer(time.perf_counter() - start, int(head[9:12]), stages, body))
            # When refused, a client comes again as late as it was told.
            await asyncio.sleep(min(float(headers.get(b"retry-after", b"0")), end - time.perf_counter()))
    finally:
        writer.close()
