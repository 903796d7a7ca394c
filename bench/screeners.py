"""Workers that serve the guard model over a Redis of their own, for benchmarks that need no web and no database."""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import NamedTuple

import psutil
import redis

from webapp.local.home import open_home
from webapp.local.process_table import screening
from webapp.local.processes import Supervisor
from webapp.local.redis import Redis
from workers.broker import QUEUES
from workers.messages import alive_key

START_SECONDS = 240.0


class Memory(NamedTuple):
    """Megabytes: what processes allocated themselves, and what would be free without them.

    That has pages of files on top, of code above all, that nobody else has mapped. The system takes those back when it
    likes, and reads them again.
    """

    own: float
    unshared: float


@dataclass(frozen=True)
class Screeners:
    """Running workers, each with a batcher of its own."""

    redis_url: str
    pids: tuple[int, ...]

    def memory(self) -> Memory:
        """Return the megabytes of all of them."""
        processes = [psutil.Process(pid) for pid in self.pids]
        sizes = [process.memory_info() for process in processes]
        unshared = sum(process.memory_full_info().uss for process in processes)
        return Memory(sum(size.rss - size.shared for size in sizes) / 1e6, unshared / 1e6)

    def busy(self) -> float:
        """Return the processor seconds that they have used."""
        return sum(sum(psutil.Process(pid).cpu_times()[:2]) for pid in self.pids)


@contextlib.contextmanager
def screeners(count: int, *, lanes: int = 1, **env: str) -> Iterator[Screeners]:
    """Run `count` of them, as `manage.py up` would, with so many lanes each, until the block ends."""
    with tempfile.TemporaryDirectory(prefix="countersign-bench-") as place:
        home = open_home(Path(place) / "home")
        server = Redis(home)
        whole = {**os.environ, "REDIS_URL": server.url, "COUNTERSIGN_HOME": str(home.root), **env}
        whole["COUNTERSIGN_LANES"] = str(lanes)
        with Supervisor(home.log, report=print) as supervisor:
            supervisor.start(server.process())
            supervisor.wait_until(server.accepts, timeout=10, what="Redis")
            one = next(process for process in screening(whole) if process.name.startswith("screen-gpu"))
            names = [f"screener-{number}" for number in range(count)]
            for name in names:
                # At this level Celery says when a worker is ready: after its warm-up.
                words = [{"warning": "info", "gpu@%h": f"{name}@%h"}.get(word, word) for word in one.command]
                supervisor.start(replace(one, name=name, command=words))
            for name in names:
                log = home.log / f"{name}.log"
                supervisor.wait_until(partial(_says_ready, log), timeout=START_SECONDS, what=name)
            with redis.Redis.from_url(server.url) as client:
                # Nothing is sent to a queue before one of them says there that it lives.
                key = alive_key(QUEUES["gpu"])
                supervisor.wait_until(lambda: bool(client.exists(key)), timeout=10, what="the workers' word")
            pids = tuple(pid for name in names if (pid := supervisor.pid(name)) is not None)
            yield Screeners(server.url, pids)


def _says_ready(log: Path) -> bool:
    return log.exists() and " ready." in log.read_text()
