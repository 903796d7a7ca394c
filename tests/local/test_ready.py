"""The check that ends the start, against web servers that turn it away."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from webapp.local.home import LocalError
from webapp.local.ready import try_check


class Answer(BaseHTTPRequestHandler):
    """Redirect whoever does not come over TLS, as Django's SecurityMiddleware does behind a proxy."""

    trusts_proxy = True
    status = 200

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        secure = self.trusts_proxy and self.headers["X-Forwarded-Proto"] == "https"
        self.send_response(self.status if secure else 301)
        self.send_header("Content-Type", "application/json" if secure and self.status == 200 else "text/html")
        self.end_headers()
        self.wfile.write(b'{"unscanned": []}' if secure and self.status == 200 else b"<h1>no</h1>")

    def log_message(self, format: str, *args: object) -> None:
        """Stay quiet."""


@pytest.fixture
def server() -> Iterator[HTTPServer]:
    class Handler(Answer):
        pass

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def test_the_check_passes_where_a_proxy_speaks_tls(server: HTTPServer) -> None:
    assert try_check(server.server_port, "key") == ""


@pytest.mark.parametrize(
    ("trusts_proxy", "status", "variable"),
    [(False, 200, "COUNTERSIGN_BEHIND_PROXY"), (True, 421, "COUNTERSIGN_ALLOWED_HOSTS")],
)
def test_settings_that_turn_the_check_away_end_the_start_at_once(
    server: HTTPServer, trusts_proxy: bool, status: int, variable: str
) -> None:
    server.RequestHandlerClass.trusts_proxy = trusts_proxy  # type: ignore[attr-defined]
    server.RequestHandlerClass.status = status  # type: ignore[attr-defined]
    with pytest.raises(LocalError) as refused:
        try_check(server.server_port, "key")
    assert variable in refused.value.hint
