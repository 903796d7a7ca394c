"""`make up` as a user runs it."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.live import LiveApp
from tests.local.leftovers import left_over
from webapp.local.home import Home
from webapp.local.process_table import PROJECT

pytestmark = pytest.mark.faults


def traffic(home: Path, *options: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "manage.py", "traffic", *options]
    # As in another terminal: no addresses in the environment.
    env = {name: value for name, value in os.environ.items() if name not in ("DATABASE_URL", "REDIS_URL")}
    env["COUNTERSIGN_HOME"] = str(home)
    return subprocess.run(command, env=env, capture_output=True, text=True, check=False, cwd=PROJECT)


def refused(home: Path, **env: str) -> str:
    """Run `manage.py up`, expect it to fail, and return what it printed."""
    app = LiveApp(home, env=env)
    assert app.ended() == 1
    assert left_over(home) == []
    return app.output.read_text()


def make_is_ready() -> bool:
    """Tell whether `make up` would start at once; it installs first when pyproject.toml changed since `make test`."""
    shown = subprocess.run(["make", "-n", "up"], cwd=PROJECT, capture_output=True, text=True, check=True)
    return "pip install" not in shown.stdout


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveApp]:
    """Run one app for the tests below, started by make where that installs nothing, in a folder closed to others."""
    home = tmp_path_factory.mktemp("up") / "var"
    command = ["make", "--no-print-directory", "up"] if make_is_ready() else [sys.executable, "manage.py", "up"]
    app = LiveApp(home, env={"COUNTERSIGN_GUARD_MODEL": "fake"}, command=command)
    try:
        yield app.wait_ready()
    finally:
        app.stop()
        assert not (home / "run" / "services.json").exists()


def test_after_kill_9_nothing_is_left_and_the_next_start_keeps_everything(app: LiveApp) -> None:
    facts = app.facts
    app.kill()
    assert left_over(app.home) == []
    app.restart().wait_ready()
    assert app.facts == facts


def test_secrets_are_for_the_owner_alone(app: LiveApp) -> None:
    for path in (app.home / "demo.json", app.home / "run" / "services.json", app.home / "run" / "redis.conf"):
        assert path.stat().st_mode & 0o077 == 0


def test_a_second_app_on_the_same_home_is_refused(app: LiveApp) -> None:
    second = LiveApp(app.home)
    assert second.ended() == 1
    assert f"already runs on {app.home} (process {app.supervisor_pid})" in second.output.read_text()
    assert app.process.poll() is None


@pytest.mark.skipif(shutil.which("curl") is None, reason="no curl on this machine")
def test_the_printed_curl_is_answered(app: LiveApp) -> None:
    printed = app.output.read_text()
    command = printed[printed.index("curl -s") :].split("\n\n")[0]
    answer = json.loads(subprocess.run(["sh", "-c", command], capture_output=True, check=True).stdout)
    assert answer["verdict"] == "redact"
    assert answer["unscanned"] == []


def test_traffic_is_sent_with_the_facts_of_the_running_app(app: LiveApp) -> None:
    sent = traffic(app.home, "--count", "8")
    assert sent.returncode == 0, sent.stderr
    assert "flagged for review" in sent.stdout


def test_traffic_without_an_app_says_how_to_start_one(tmp_path: Path) -> None:
    sent = traffic(tmp_path)
    assert sent.returncode == 1
    assert "make up" in sent.stderr


def test_an_interrupted_start_leaves_nothing(home: Home) -> None:
    app = LiveApp(home.root)
    while "PostgreSQL" not in app.output.read_text():
        assert app.process.poll() is None
    app.stop(signal.SIGINT)


def test_a_taken_port_is_said(home: Home) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        printed = refused(home.root, COUNTERSIGN_PORT=str(port))
    assert f"port {port} cannot be used" in printed
    assert f"COUNTERSIGN_PORT={port + 1}" in printed


def test_an_unreachable_database_is_said(home: Home) -> None:
    printed = refused(home.root, DATABASE_URL="postgres://me:hunter2@127.0.0.1:1/x")
    assert "the PostgreSQL server of DATABASE_URL (127.0.0.1:1/x) cannot be used" in printed
    assert "hunter2" not in printed


def test_an_unreachable_redis_is_said(home: Home) -> None:
    assert "REDIS_URL (127.0.0.1:1/0) cannot be used" in refused(home.root, REDIS_URL="redis://127.0.0.1:1/0")


def test_a_broken_data_folder_is_said(home: Home) -> None:
    (home.postgres / "data" / "PG_VERSION").write_text("16\n")
    assert "was made by PostgreSQL 16" in refused(home.root)


def test_a_damaged_database_is_said(home: Home) -> None:
    control = home.postgres / "data" / "global" / "pg_control"
    control.write_bytes(b"\0" * control.stat().st_size)
    printed = refused(home.root)
    assert "does not start" in printed
    assert "FATAL" in printed


def test_a_home_that_cannot_be_made_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    printed = refused(tmp_path / "file" / "var")
    assert "cannot write to the data folder" in printed
    assert "Traceback" not in printed
