"""The main job with every socket and look-up beyond this machine denied: no part calls out."""

from __future__ import annotations

import datetime as dt
import json
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.faults.books import Books
from tests.faults.load import send
from tests.faults.waiting import wait_until
from tests.layout import PROJECT
from tests.live import LiveApp
from tests.pages import Person

pytestmark = [pytest.mark.faults, pytest.mark.timeout(600)]
GUARD = PROJECT / "tests" / "deny_network"
VALIDATOR = "tests.faults.validators:StopsItsProcess"
THEIRS = f"""
name: theirs
deadline_ms: 60000
rules:
  - {{id: theirs, detector: guardrails_ai, options: {{validator: "{VALIDATOR}"}}, entities: {{failed: block}}}}
  - {{id: moderation, detector: moderation, categories: {{"*": {{flag: 0.5}}}}}}
  - {{id: personal-data, detector: pii, entities: {{"*": redact}}}}
"""
CAREFUL = """
name: careful
deadline_ms: 60000
rules:
  - {id: personal-data, detector: pii, entities: {"*": hold}}
"""
TEXT = "See https://www.example.co.uk/a?b=c or write to ann@mail.example.com, +1 202 555 0143."


def guarded(denied: Path) -> dict[str, str]:
    return {"PYTHONPATH": str(GUARD), "COUNTERSIGN_TEST_DENIED": str(denied)}


@pytest.fixture
def denied(tmp_path: Path) -> Path:
    return tmp_path / "denied"


@pytest.fixture
def app(denied: Path) -> Iterator[LiveApp]:
    env = {**guarded(denied), "COUNTERSIGN_GUARDRAILS_VALIDATORS": VALIDATOR}
    with tempfile.TemporaryDirectory(prefix="countersign-offline-") as place:
        app = LiveApp(Path(place) / "var", env=env)
        try:
            yield app.wait_ready()
        finally:
            if app.process.poll() is None:
                app.stop()


@pytest.mark.parametrize(
    ("attempt", "allowed"),
    [
        ("socket.create_connection(('192.0.2.1', 80), 1)", False),
        ("socket.getaddrinfo('example.com', 80)", False),
        ("socket.gethostbyname('example.com')", False),
        ("socket.socket(type=socket.SOCK_DGRAM).sendto(b'x', ('192.0.2.1', 53))", False),
        ("urllib.request.urlopen('http://example.com')", False),
        ("socket.create_server(('127.0.0.1', 0)).getsockname()", True),
        ("socket.getaddrinfo('localhost', 80)", True),
    ],
)
def test_the_guard_denies_what_leaves_the_machine(denied: Path, attempt: str, allowed: bool) -> None:
    code = f"import socket, urllib.request; {attempt}"
    done = subprocess.run(
        [sys.executable, "-c", code], env={**os.environ, **guarded(denied)}, capture_output=True, text=True, check=False
    )
    assert (done.returncode == 0) is allowed, done.stderr
    assert denied.exists() is not allowed
    assert allowed or "PermissionError" in done.stderr or "nothing beyond this machine" in done.stderr


def test_the_main_job_calls_nowhere(app: LiveApp, denied: Path, tmp_path: Path) -> None:
    ask_every_door(app)
    decide(app, items=6)
    run_the_commands(Books(app), tmp_path)
    assert_every_process_was_guarded(app, denied)
    assert not denied.exists(), denied.read_text()


def post(app: LiveApp, path: str, body: dict[str, Any]) -> dict[str, Any]:
    headers = {"Authorization": f"Bearer {app.api_key}", "Content-Type": "application/json"}
    status, answer = send(app.port, "POST", path, headers, body)
    assert status in (200, 202), answer
    return answer


def ask_every_door(app: LiveApp) -> None:
    check = {"output": TEXT, "messages": [{"role": "user", "content": "Where do I write to?"}], "deadline_ms": 30_000}
    for wanted in (check, {**check, "policy": "strict"}, {**check, "policy": "observe-only"}):
        assert post(app, "/v1/checks", wanted)["unscanned"] == []
    post(app, "/v1/checks", {**check, "wait": False})
    post(app, "/v1/checks/batch", {"checks": [check, check]})
    post(app, "/openai/v1/moderations", {"input": [TEXT, "I like trains."]})
    owner = Person(app.url)
    owner.sign_in(**app.users["owner"])
    for document in (THEIRS, CAREFUL):
        owner.send("/p/demo/policies/_new/", document=document)
    assert post(app, "/v1/checks", {"output": "fine", "policy": "theirs"})["unscanned"] == []


def decide(app: LiveApp, *, items: int) -> None:
    """Hold some checks, and let the reviewer release, block and replace them by turns."""
    messages = [{"role": "user", "content": "Where do I write to?"}]
    asked = [{"output": f"{TEXT} {number}", "messages": messages, "policy": "careful"} for number in range(items)]
    assert {post(app, "/v1/checks", check)["verdict"] for check in asked} == {"hold"}
    answers = [{"outcome": "release"}, {"outcome": "block"}, {"outcome": "replace", "correction": "Write to us."}]
    reviewer = Person(app.url)
    reviewer.sign_in(**app.users["reviewer"])
    reviewer.open("/p/demo/review/")
    reviewer.send("/p/demo/review/queues/default/work/")
    for number in range(items):
        judged = {"label-violence": "no", **dict.fromkeys(re.findall(r'name="(finding-\d+)"', reviewer.page), "keep")}
        answer = reviewer.hidden("/submit/") | answers[number % len(answers)] | judged
        reviewer.send(reviewer.form("/submit/"), **answer)
    assert len(Books(app).rows("SELECT 1 FROM review_decision")) == items
    # A decision is data once it can not be taken back any more.
    waiting = "SELECT 1 FROM review_decision WHERE waits_until IS NOT NULL"
    wait_until(lambda: not Books(app).rows(waiting), "the time to undo to be over")


def run_the_commands(books: Books, folder: Path) -> None:
    today = dt.datetime.now(dt.UTC).date()
    period = ("--from", str(today - dt.timedelta(days=1)), "--to", str(today + dt.timedelta(days=1)))
    books.manage("dataset", "freeze", "--project", "demo", "--dataset", "first")
    for format in ("huggingface", "openai-chat-sft"):
        where = str(folder / format)
        books.manage("export", "--project", "demo", "--dataset", "first", "--format", format, "--out", where)
    books.manage("audit", "verify")
    books.manage("audit", "report", "--project", "demo", *period, "--out", str(folder / "report.pdf"))
    texts, answers = folder / "in.jsonl", folder / "out.jsonl"
    texts.write_text("".join(json.dumps({"id": str(n), "output": f"{TEXT} {n}"}) + "\n" for n in range(8)))
    policy = folder / "theirs.yaml"
    policy.write_text(THEIRS)
    # It fails when a rule did not run.
    books.manage("screen", str(texts), str(answers), "--direct", "--policy", str(policy))


def assert_every_process_was_guarded(app: LiveApp, denied: Path) -> None:
    seen = {int(line) for line in denied.with_name("denied.guarded").read_text().split()}
    names = json.loads((app.home / "run" / "pids.json").read_text())
    python = {name: pid for name, pid in names.items() if name not in ("postgres", "redis")}
    assert python.keys() >= {"web", "control", "conclude", "beat", "screen-cpu"}
    assert set(python.values()) <= seen
