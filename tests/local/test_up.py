"""`manage.py up` as a user runs it. Each test has an app of its own; tests/local/test_live_app.py shares one."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.live import LiveApp
from tests.local.conftest import HomeMaker
from tests.local.leftovers import left_over
from webapp.local.home import Home
from webapp.local.process_table import PROJECT

pytestmark = pytest.mark.faults


def refused(home: Path, **env: str) -> str:
    """Run `manage.py up`, expect it to fail, and return what it printed."""
    app = LiveApp(home, env=env)
    assert app.ended() == 1
    assert left_over(home) == []
    return app.output.read_text()


@pytest.fixture
def app(make_home: HomeMaker) -> Iterator[LiveApp]:
    app = LiveApp(make_home(0o700).root, env={"COUNTERSIGN_GUARD_MODEL": "fake"})
    try:
        yield app.wait_ready()
    finally:
        if app.process.poll() is None:
            app.stop()


def test_a_second_start_keeps_data_and_sign_ins(app: LiveApp) -> None:
    facts = app.facts
    assert (app.home / "demo.json").stat().st_mode & 0o777 == 0o600
    app.restart().wait_ready()
    assert app.facts == facts


def test_it_stops_on_ctrl_c_and_removes_the_addresses_of_its_servers(app: LiveApp) -> None:
    assert (app.home / "run" / "services.json").stat().st_mode & 0o777 == 0o600
    app.stop(signal.SIGINT)
    assert not (app.home / "run" / "services.json").exists()


def test_after_kill_9_nothing_is_left_and_the_next_start_works(app: LiveApp) -> None:
    facts = app.facts
    app.kill()
    app.restart().wait_ready()
    assert app.facts == facts


def test_a_second_app_on_the_same_home_is_refused(app: LiveApp) -> None:
    second = LiveApp(app.home, env={"COUNTERSIGN_HOME": str(app.home)})
    assert second.ended() == 1
    assert f"already runs on {app.home} (process {app.process.pid})" in second.output.read_text()
    assert app.process.poll() is None


def make_would_install() -> bool:
    shown = subprocess.run(["make", "-n", "up"], cwd=PROJECT, capture_output=True, text=True, check=True)
    return "pip install" in shown.stdout


@pytest.mark.skipif(make_would_install(), reason="`make test` installs first, this run did not")
def test_sigterm_to_make_stops_everything(make_home: HomeMaker) -> None:
    home = make_home(0o755).root
    app = LiveApp(home, env={"COUNTERSIGN_GUARD_MODEL": "fake"}, command=["make", "--no-print-directory", "up"])
    app.wait_ready()
    app.stop()


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


def test_other_commands_find_the_running_servers(app: LiveApp) -> None:
    command = [sys.executable, str(PROJECT / "manage.py"), "traffic", "--count", "8"]
    env = {name: value for name, value in os.environ.items() if name not in ("DATABASE_URL", "REDIS_URL")}
    env["COUNTERSIGN_HOME"] = str(app.home)
    sent = subprocess.run(command, env=env, capture_output=True, text=True, check=False, cwd=PROJECT)
    assert sent.returncode == 0, sent.stderr
    assert "flagged for review" in sent.stdout


def test_traffic_without_an_app_says_how_to_start_one(tmp_path: Path) -> None:
    command = [sys.executable, str(PROJECT / "manage.py"), "traffic"]
    env = {**os.environ, "COUNTERSIGN_HOME": str(tmp_path)}
    sent = subprocess.run(command, env=env, capture_output=True, text=True, check=False, cwd=PROJECT)
    assert sent.returncode == 1
    assert "make up" in sent.stderr
