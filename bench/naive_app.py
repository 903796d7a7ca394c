"""Start the naive app (bench/naive) with a PostgreSQL and a Redis of its own."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from bench.app import ROOT, App
from webapp.local.home import free_port, open_home
from webapp.local.postgres import Postgres
from webapp.local.processes import Process, Supervisor
from webapp.local.redis import Redis

THREADS = 16


@contextlib.contextmanager
def naive_app(**own: str) -> Iterator[App]:
    """Run the web server on threads and one worker process a core, with `own` in their environment, until the end."""
    with tempfile.TemporaryDirectory(prefix="countersign-naive-") as place:
        Path(place).chmod(0o711)
        home = open_home(Path(place) / "var")
        postgres, redis = Postgres(home), Redis(home)
        postgres.create()
        env = {**os.environ, "DATABASE_URL": postgres.url, "REDIS_URL": redis.url, "OMP_NUM_THREADS": "1"}
        env |= {"DJANGO_SETTINGS_MODULE": "bench.naive.settings", "HF_HUB_OFFLINE": "1", **own}
        port = free_port()
        with Supervisor(home.log, report=lambda _: None, pids=home.run / "pids.json") as supervisor:
            supervisor.start(postgres.process())
            supervisor.start(redis.process())
            supervisor.wait_until(postgres.accepts, timeout=60, what="PostgreSQL")
            supervisor.wait_until(redis.accepts, timeout=20, what="Redis")
            migrate = ["-m", "django", "migrate", "--run-syncdb", "--verbosity", "0"]
            supervisor.run(Process("migrate", [sys.executable, *migrate], env, ROOT, restart=False), timeout=60)
            worker = ["celery", "-A", "bench.naive.tasks", "worker", "-c", str(os.cpu_count() or 1), "-l", "warning"]
            web = ["granian", "--interface", "wsgi", "--host", "127.0.0.1", "--port", str(port), "--workers", "1"]
            web += [
                "--blocking-threads",
                str(THREADS),
                "--no-ws",
                "--log-level",
                "warning",
                "bench.naive.web:application",
            ]
            supervisor.start(Process("worker", [sys.executable, "-m", *worker], env, ROOT, stop_order=1))
            supervisor.start(Process("web", [sys.executable, "-m", *web], env, ROOT))
            supervisor.wait_until(lambda: _answers(port), timeout=120, what="the naive app", interval=0.5)
            yield App(f"http://127.0.0.1:{port}", "", home.root)


def _answers(port: int) -> bool:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    try:
        connection.request("POST", "/v1/checks", json.dumps({"output": "Is it there?"}).encode())
        return connection.getresponse().status == 200
    except OSError:
        return False
    finally:
        connection.close()
