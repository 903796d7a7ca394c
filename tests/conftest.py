"""What every test may ask for; the servers behind it are those of tests/services.py."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis
from pytest_django import Settings

from tests.audit_flush import allow_flush as allow_flush
from tests.live import LiveApp
from tests.local.leftovers import left_over
from tests.services import services
from tests.silent_redis import DeafRedis, SilentRedis
from webapp.local.home import open_home
from webapp.local.process_table import screening
from webapp.local.processes import Supervisor
from workers.broker import needed_queues
from workers.messages import alive_key


@pytest.fixture(autouse=True)
def _fast_passwords(settings: Settings) -> None:
    # The cast has six people; hashing their passwords properly takes seconds in every test.
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


@pytest.fixture(scope="session")
def redis_url() -> str:
    """Return the address of the session's Redis, which the settings use as well."""
    return services.redis.url


@pytest.fixture
def silent_redis() -> Iterator[SilentRedis]:
    """Run a Redis that hangs."""
    server = SilentRedis()
    yield server
    server.close()


@pytest.fixture
def deaf_redis() -> Iterator[DeafRedis]:
    """Run a Redis that can not be reached: nobody refuses, nobody answers."""
    server = DeafRedis()
    yield server
    server.close()


@pytest.fixture(scope="session")
def screen_workers(redis_url: str) -> Iterator[Supervisor]:
    """Run real screening workers, with the fake guard model, from the first use to the end of the session."""
    with tempfile.TemporaryDirectory(prefix="countersign-workers-") as place:
        home = open_home(Path(place))
        env = {**os.environ, "REDIS_URL": redis_url, "COUNTERSIGN_HOME": place, "COUNTERSIGN_GUARD_MODEL": "fake"}
        with redis.Redis.from_url(redis_url) as client, Supervisor(home.log, report=print) as supervisor:
            for process in screening(env):
                supervisor.start(process)
            alive = [alive_key(queue) for queue in needed_queues()]
            supervisor.wait_until(lambda: client.exists(*alive) == len(alive), timeout=90, what="screening workers")
            yield supervisor
        assert left_over(home.root) == []


@pytest.fixture(scope="session")
def live_app() -> Iterator[LiveApp]:
    """Run the whole app, with the real guard model, from the first test that asks to the end of the session.

    Tests share it: kill its children if need be, but leave it answering.
    """
    with tempfile.TemporaryDirectory(prefix="countersign-live-") as place:
        app = LiveApp(Path(place) / "var")
        try:
            yield app.wait_ready()
        finally:
            app.stop()


@pytest.fixture(scope="session")
def django_db_modify_db_settings() -> None:
    """Let the threads of live servers close their connections: with open ones the database can not be dropped."""
    from django.db import connections

    connections["default"].settings_dict["CONN_MAX_AGE"] = 0
