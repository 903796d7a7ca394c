"""Without an address of Redis each process that needs one says what to set, and ends; commands go on working."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from webapp.local.home import free_port
from webapp.local.process_table import PROJECT

SAID = "No Redis: set REDIS_URL, or start the app with `make up`"


def run(home: Path, *module: str) -> subprocess.CompletedProcess[str]:
    env = {**os.environ, "COUNTERSIGN_HOME": str(home), "REDIS_URL": ""}
    line = [sys.executable, "-m", *module]
    return subprocess.run(line, env=env, cwd=PROJECT, capture_output=True, text=True, timeout=40, check=False)


@pytest.mark.parametrize("process", ["control", "conclude", "beat", "web"])
def test_a_process_that_needs_redis_says_so_and_ends(tmp_path: Path, process: str) -> None:
    if process == "web":
        ended = run(tmp_path, "granian", "--interface", "asginl", "--port", str(free_port()), "webapp.asgi:application")
    elif process == "beat":
        schedule = str(tmp_path / "beat")
        ended = run(tmp_path, "celery", "-A", "webapp.celery", "beat", "--schedule", schedule, "--pidfile=")
    else:
        ended = run(tmp_path, "celery", "-A", "webapp.celery", "worker", "-Q", process, "--pool", "threads")
    assert ended.returncode != 0
    assert SAID in ended.stderr
    assert "amqp://guest" not in ended.stderr
    assert "Traceback" not in ended.stderr


@pytest.mark.parametrize("command", [["check"], ["makemigrations", "--check", "--dry-run"]])
def test_commands_need_none(tmp_path: Path, command: list[str]) -> None:
    ended = run(tmp_path, "manage", *command)
    assert (ended.returncode, SAID in ended.stderr) == (0, False)
