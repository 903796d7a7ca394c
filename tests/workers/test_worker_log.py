"""What a worker says of its model while it starts reaches its log, at the level that was asked for."""

from __future__ import annotations

import subprocess
import sys

import pytest

#: A worker that ends where it would say that it lives.
WORKER = """
import logging, sys
from workers import tasks

def warm_up(queue):
    logging.getLogger("workers.runtimes.choice").info("the model runs %s", queue)

def alive(*_):
    sys.exit(0)

tasks._warm_up, tasks.keep_alive_keys = warm_up, alive
tasks.app.worker_main(["worker", "-Q", "screen.gpu", "--pool", sys.argv[1], "-c", "1", "-l", sys.argv[2]])
"""


@pytest.mark.parametrize("pool", ["threads", "solo"])
def test_what_the_model_runs_is_logged(pool: str, redis_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REDIS_URL", redis_url)
    said = [
        subprocess.run(
            [sys.executable, "-c", WORKER, pool, level], capture_output=True, text=True, check=False, timeout=120
        ).stderr
        for level in ("info", "warning")
    ]
    assert ["the model runs gpu" in one for one in said] == [True, False], said
