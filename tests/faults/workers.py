"""One screening worker of its own, which a test may stop, starve or kill."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import redis

from policies.services import add_policy_version
from tests.local.leftovers import left_over
from webapp.accounts.models import Project
from webapp.local.home import open_home
from webapp.local.process_table import screening
from webapp.local.processes import Supervisor
from workers.broker import QUEUES
from workers.messages import alive_key

START_SECONDS = 120.0


class Worker:
    """A worker of one queue ("cpu", "gpu") under a supervisor that starts it again."""

    def __init__(self, supervisor: Supervisor, broker: redis.Redis, queue: str, env: dict[str, str]) -> None:
        """Start it; it does not live yet."""
        process = next(process for process in screening(env) if process.name.startswith(f"screen-{queue}"))
        self.name = process.name
        self.supervisor = supervisor
        self._broker = broker
        self._alive = alive_key(QUEUES[queue])
        supervisor.start(process)

    @property
    def log(self) -> str:
        """Return what it wrote."""
        path = self.supervisor.logs / f"{self.name}.log"
        return path.read_text() if path.exists() else ""

    @property
    def pid(self) -> int:
        pid = self.supervisor.pid(self.name)
        assert pid is not None
        return pid

    def wait_alive(self) -> None:
        """Return once it has said that it lives since the call."""
        self._broker.delete(self._alive)
        self.supervisor.wait_until(
            lambda: bool(self._broker.exists(self._alive)), timeout=START_SECONDS, what=f"{self.name} to live"
        )


@contextmanager
def running_worker(broker_url: str, queue: str, **env: str) -> Iterator[Worker]:
    """Run the worker of a queue with some environment; it lives when the block begins and is gone when it ends."""
    with starting_worker(broker_url, queue, **env) as worker:
        worker.wait_alive()
        yield worker


@contextmanager
def starting_worker(broker_url: str, queue: str, **env: str) -> Iterator[Worker]:
    """Run the worker of a queue with some environment; it is gone when the block ends."""
    with tempfile.TemporaryDirectory(prefix="countersign-workers-") as place:
        home = open_home(Path(place))
        whole = {**os.environ, "REDIS_URL": broker_url, "COUNTERSIGN_HOME": place, **env}
        with Supervisor(home.log, report=lambda _: None) as supervisor, redis.Redis.from_url(broker_url) as broker:
            yield Worker(supervisor, broker, queue, whole)
        assert left_over(home.root) == []


def use_policy(document: str) -> None:
    """Make a policy of the cast's project active."""
    add_policy_version(project=Project.objects.get(slug="acme"), document=document)
