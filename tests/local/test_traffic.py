"""`manage.py traffic` against an app that is too busy at first."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from pytest_django import Settings


class Busy(HTTPServer):
    """Refuses `refusals` checks, then allows each."""

    refusals = 1
    asked = 0


class Handler(BaseHTTPRequestHandler):
    server: Busy

    def do_POST(self) -> None:
        self.server.asked += 1
        self.rfile.read(int(self.headers["Content-Length"]))
        busy = self.server.asked <= self.server.refusals
        said = {"title": "Service Unavailable", "hint": "later"} if busy else {"verdict": "allow", "flagged": False}
        body = json.dumps(said).encode()
        self.send_response(503 if busy else 200)
        if busy:
            self.send_header("Retry-After", "1")
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args: object) -> None:
        """Keep the output of tests to themselves."""


@pytest.fixture
def app(settings: Settings, tmp_path: Path) -> Iterator[Busy]:
    server = Busy(("127.0.0.1", 0), Handler)
    settings.HOME = tmp_path
    (tmp_path / "demo.json").write_text(json.dumps({"url": f"http://127.0.0.1:{server.server_port}", "api_key": "k"}))
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


def test_a_refused_check_is_sent_again_when_the_app_says_so(app: Busy, capsys: pytest.CaptureFixture[str]) -> None:
    call_command("traffic", count=2, concurrency=1)
    assert app.asked == 3
    assert "0 flagged for review" in capsys.readouterr().out


def test_what_is_refused_again_and_again_is_said(app: Busy, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("webapp.management.commands.traffic.TRIES", 1)
    app.refusals = 1
    with pytest.raises(CommandError, match="1 of 2 interactions were refused:\n  1 x 503 Service Unavailable: later"):
        call_command("traffic", count=2, concurrency=1)
