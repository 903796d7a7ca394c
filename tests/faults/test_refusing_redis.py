"""Redis takes no writes, or is away, for a while: workers outlive it, go on by themselves, and say so when they do."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import redis

from tests.faults.waiting import wait_until
from webapp.local.home import Home, open_home
from webapp.local.process_table import beat, control, screening
from webapp.local.processes import Supervisor
from webapp.local.redis import Redis
from workers.broker import CONTROL, QUEUES
from workers.messages import alive_key
from workers.roster import living_workers

pytestmark = pytest.mark.faults
#: Longer than Celery looks back at how often a worker began anew.
REFUSED_SECONDS = 4.0
#: Whoever reads it throws it away.
NO_TASK = (
    '{"body": "", "headers": {}, "properties":'
    ' {"delivery_info": {"exchange": "", "routing_key": "QUEUE"}, "delivery_tag": "1"}}'
)
#: What a worker's log says of each attempt, and how many make an outage.
PAUSED, ATTEMPTS = "Trying again in 1.00 second", 5
NAMES = {"screen-cpu": QUEUES["cpu"], "control": CONTROL}


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return open_home(tmp_path / "var")


@pytest.fixture
def broker(home: Home) -> Iterator[tuple[Redis, redis.Redis]]:
    """Run a Redis of its own, and connect to it."""
    server = Redis(home)
    with Supervisor(home.log, report=print) as supervisor, redis.Redis.from_url(server.url) as client:
        supervisor.start(server.process())
        supervisor.wait_until(server.accepts, timeout=10, what="Redis")
        yield server, client


def become_replica(client: redis.Redis) -> None:
    client.replicaof("127.0.0.1", "1")


def become_primary(client: redis.Redis) -> None:
    client.replicaof("NO", "ONE")


def want_replicas(client: redis.Redis) -> None:
    client.config_set("min-replicas-to-write", 1)


def want_none(client: redis.Redis) -> None:
    client.config_set("min-replicas-to-write", 0)


@pytest.mark.parametrize(("refuse", "take"), [(become_replica, become_primary), (want_replicas, want_none)])
def test_workers_outlive_a_redis_that_takes_no_writes(
    home: Home,
    broker: tuple[Redis, redis.Redis],
    refuse: Callable[[redis.Redis], None],
    take: Callable[[redis.Redis], None],
) -> None:
    server, client = broker
    env = {**os.environ, "REDIS_URL": server.url, "COUNTERSIGN_HOME": str(home.root)}
    with Supervisor(home.log, report=print) as supervisor:
        for process in (control(env), next(one for one in screening(env) if one.name == "screen-cpu")):
            supervisor.start(process)
        wait_until(lambda: all(client.exists(alive_key(queue)) for queue in NAMES.values()), "workers to live")
        before = {name: supervisor.pid(name) for name in NAMES}
        refuse(client)
        time.sleep(REFUSED_SECONDS)
        take(client)
        for queue in NAMES.values():
            client.lpush(queue, NO_TASK.replace("QUEUE", queue))
        wait_until(lambda: not any(client.llen(queue) for queue in NAMES.values()), "workers to read again")
        assert {name: supervisor.pid(name) for name in NAMES} == before
    for name in NAMES:
        said = (home.log / f"{name}.log").read_text()
        assert said.count("Connection to broker lost") <= 1, "its place is said once, then a line an attempt"
        assert PAUSED in said


def test_workers_say_that_they_live_when_they_take_messages_again(home: Home) -> None:
    server = Redis(home)
    env = {**os.environ, "REDIS_URL": server.url, "COUNTERSIGN_HOME": str(home.root)}
    logs = [home.log / f"{name}.log" for name in NAMES]
    with Supervisor(home.log, report=print) as workers, redis.Redis.from_url(server.url) as client:
        with Supervisor(home.log, report=print) as supervisor:
            supervisor.start(server.process())
            supervisor.wait_until(server.accepts, timeout=10, what="Redis")
            for process in (control(env), next(one for one in screening(env) if one.name == "screen-cpu")):
                workers.start(process)
            wait_until(lambda: all(client.exists(alive_key(queue)) for queue in NAMES.values()), "workers to live")
            assert all(worker.name for worker in living_workers(client)), "from their first word on"
        wait_until(lambda: all(log.read_text().count(PAUSED) >= ATTEMPTS for log in logs), "several attempts")
        with Supervisor(home.log, report=print) as supervisor:
            supervisor.start(server.process())
            supervisor.wait_until(server.accepts, timeout=10, what="Redis")
            wait_until(lambda: any(client.exists(alive_key(queue)) for queue in NAMES.values()), "a worker to live")
            asked = {one["cmd"] for one in client.client_list()}
            assert asked & {"del", "brpop"}, "of the connection that it takes messages by"


def test_beat_sends_again_when_redis_is_back(home: Home) -> None:
    server = Redis(home)
    env = {**os.environ, "REDIS_URL": server.url, "COUNTERSIGN_HOME": str(home.root)}
    log = home.log / "beat.log"
    with Supervisor(home.log, report=print) as clock, redis.Redis.from_url(server.url) as client:
        with Supervisor(home.log, report=print) as supervisor:
            supervisor.start(server.process())
            supervisor.wait_until(server.accepts, timeout=10, what="Redis")
            clock.start(beat(env, home.run))
            wait_until(lambda: client.llen(CONTROL) > 0, "beat to send")
        wait_until(
            lambda: "Redis does not answer" in log.read_text() or "ConnectionError" in log.read_text(), "an outage"
        )
        with Supervisor(home.log, report=print) as supervisor:
            supervisor.start(server.process())
            supervisor.wait_until(server.accepts, timeout=10, what="Redis")
            wait_until(lambda: client.llen(CONTROL) > 0, "beat to send again")
