"""A small OpenAI-compatible server on a real socket, which answers as guard LLMs do, or badly."""

from __future__ import annotations

import json
import math
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

Answer = bytes | dict[str, Any] | int


class LlmServer:
    """`answer` says what comes back for a request's body: a completion, bytes as they are, or a status."""

    def __init__(self) -> None:
        self.answer: Callable[[dict[str, Any]], Answer] = lambda body: completion("safe")
        self.bodies: list[dict[str, Any]] = []
        self.headers: list[dict[str, str]] = []
        self.paths: list[str] = []
        #: Answers wait until it is set.
        self.go = threading.Event()
        self.go.set()
        self._lock = threading.Lock()
        self.running = self.most = 0
        self._http = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self.port = self._http.server_address[1]
        self._thread = threading.Thread(target=self._http.serve_forever, kwargs={"poll_interval": 0.02})
        self._thread.start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/v1"

    def handle(self, path: str, headers: dict[str, str], body: dict[str, Any]) -> tuple[int, bytes]:
        with self._lock:
            self.paths.append(path)
            self.headers.append(headers)
            self.bodies.append(body)
            self.running += 1
            self.most = max(self.most, self.running)
        self.go.wait(30)
        answer = self.answer(body)
        with self._lock:
            self.running -= 1
        if isinstance(answer, int):
            return answer, b'{"error": "quotes the text"}'
        return 200, answer if isinstance(answer, bytes) else json.dumps(answer).encode()

    def close(self) -> None:
        self.go.set()
        self._http.shutdown()
        self._http.server_close()
        self._thread.join()


def completion(
    text: str | None, *, finish: str = "stop", tokens: list[tuple[str, dict[str, float]]] | None = None
) -> dict[str, Any]:
    """Return a chat completion; `tokens`: each with the probabilities of candidates."""
    choice: dict[str, Any] = {"index": 0, "message": {"role": "assistant", "content": text}, "finish_reason": finish}
    if tokens is not None:
        choice["logprobs"] = {"content": [_token(token, candidates) for token, candidates in tokens]}
    return {"id": "chatcmpl-1", "object": "chat.completion", "created": 1, "model": "guard", "choices": [choice]}


@contextmanager
def running_llm() -> Iterator[LlmServer]:
    server = LlmServer()
    try:
        yield server
    finally:
        server.close()


def _token(token: str, candidates: dict[str, float]) -> dict[str, Any]:
    tops = [{"token": each, "logprob": math.log(share), "bytes": None} for each, share in candidates.items()]
    return {"token": token, "logprob": math.log(candidates.get(token, 1.0)), "bytes": None, "top_logprobs": tops}


def _handler(server: LlmServer) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            raw = self.rfile.read(int(self.headers["Content-Length"]))
            status, answer = server.handle(self.path, dict(self.headers), json.loads(raw))
            try:
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(answer)))
                if status in (301, 302, 307):
                    self.send_header("Location", f"{server.url}/elsewhere")
                self.end_headers()
                self.wfile.write(answer)
            except OSError:
                self.close_connection = True  # the client has given up

        def log_message(self, format: str, *args: Any) -> None:
            return

    return Handler
