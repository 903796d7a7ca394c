"""A pytest plugin that gives every run its own PostgreSQL and Redis, in a folder of its own.

It is loaded by `-p tests.services` (pyproject.toml), before pytest-django reads the settings, because the settings take
their addresses from the environment. The servers start with the session and are gone after it. Under pytest-xdist each
worker has its own; the process that hands out the tests needs none.
"""

import atexit
import os
import shutil
import tempfile
from pathlib import Path

import pytest

from webapp.local.home import Home, open_home
from webapp.local.postgres import Postgres
from webapp.local.processes import Supervisor
from webapp.local.redis import Redis

# What is committed need not outlive a crash of the machine here.
UNSAFE = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}


class SessionServices:
    """The servers of one test session."""

    def __init__(self) -> None:
        # Directly under /tmp and open for passing through, as a home usually is; tests/local tries the closed kind.
        self.folder = Path(tempfile.mkdtemp(prefix="countersign-tests-"))
        self.folder.chmod(0o711)
        atexit.register(shutil.rmtree, self.folder, ignore_errors=True)
        self.home: Home = open_home(self.folder / "home")
        self.postgres = Postgres(self.home, settings=UNSAFE)
        self.postgres.create()
        self.redis = Redis(self.home)
        self.supervisor: Supervisor | None = None
        os.environ["COUNTERSIGN_HOME"] = str(self.home.root)
        os.environ["DATABASE_URL"] = self.postgres.url
        os.environ["REDIS_URL"] = self.redis.url

    def start(self) -> None:
        self.supervisor = Supervisor(self.home.log, report=print)
        self.supervisor.start(self.postgres.process())
        self.supervisor.start(self.redis.process())
        self.supervisor.wait_until(self.postgres.accepts, timeout=60, what="PostgreSQL")
        self.supervisor.wait_until(self.redis.accepts, timeout=10, what="Redis")

    def stop(self) -> None:
        if self.supervisor is not None:
            self.supervisor.stop()
            self.supervisor = None


services = SessionServices()


def pytest_sessionstart(session: pytest.Session) -> None:
    hands_out = session.config.getoption("dist", "no") != "no" and "PYTEST_XDIST_WORKER" not in os.environ
    if not session.config.option.collectonly and not hands_out:
        services.start()


def pytest_unconfigure() -> None:
    services.stop()
