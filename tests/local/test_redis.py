import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis

from webapp.local.home import Home, open_home
from webapp.local.processes import Supervisor
from webapp.local.redis import Redis


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return open_home(tmp_path / "var")


@pytest.fixture
def supervisor(home: Home) -> Iterator[Supervisor]:
    with Supervisor(home.log, report=print) as supervisor:
        yield supervisor


def start(supervisor: Supervisor, server: Redis) -> None:
    supervisor.start(server.process())
    supervisor.wait_until(server.accepts, timeout=10, what="Redis")


def test_other_users_of_the_machine_need_the_password(supervisor: Supervisor, home: Home) -> None:
    server = Redis(home)
    start(supervisor, server)
    with redis.Redis(port=server.port) as stranger, pytest.raises(redis.AuthenticationError):
        stranger.ping()
    assert (home.run / "redis.conf").stat().st_mode & 0o077 == 0


def test_it_comes_back_empty_after_kill_9(supervisor: Supervisor, home: Home) -> None:
    server = Redis(home)
    start(supervisor, server)
    with redis.Redis.from_url(server.url) as client:
        client.set("note", "lost")
    killed = supervisor.pid("redis")
    assert killed is not None
    os.kill(killed, signal.SIGKILL)
    supervisor.wait_until(lambda: supervisor.pid("redis") not in (None, killed), timeout=10, what="restart")
    supervisor.wait_until(server.accepts, timeout=10, what="Redis")
    with redis.Redis.from_url(server.url) as client:
        assert client.get("note") is None


def test_it_writes_nothing_and_evicts_nothing(home: Home) -> None:
    server = Redis(home)
    with Supervisor(home.log, report=print) as supervisor:
        start(supervisor, server)
        with redis.Redis.from_url(server.url) as client:
            client.set("note", "text")
            assert client.config_get("maxmemory-policy") == {"maxmemory-policy": "noeviction"}
    assert list(home.redis.iterdir()) == []
