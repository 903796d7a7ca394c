"""Beat says that it lives for as long as it sends, and no longer than a minute more."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis
from django.test import Client

from webapp.beat import Scheduler
from webapp.celery import app
from webapp.local.home import open_home
from webapp.local.process_table import beat
from webapp.local.processes import Supervisor
from webapp.local.ready import missing_workers
from workers.messages import alive_key

KEY = alive_key("beat")


@pytest.fixture
def keys(redis_url: str) -> Iterator[redis.Redis]:
    with redis.Redis.from_url(redis_url) as client:
        client.delete(KEY)
        yield client
        client.delete(KEY)


def shown() -> bool:
    there: bool = json.loads(Client().get("/readyz").content)["beat"]
    return there


def test_a_beat_that_stopped_is_not_ready_a_minute_later(db: None, keys: redis.Redis, tmp_path: Path) -> None:
    assert not shown()
    assert "beat" in missing_workers(keys)
    home = open_home(tmp_path / "home")
    with Supervisor(home.log, report=print) as supervisor:
        supervisor.start(beat(os.environ, home.run))
        supervisor.wait_until(shown, timeout=40, what="beat")
        assert "beat" not in missing_workers(keys)
        keys.delete(KEY)
        supervisor.wait_until(shown, timeout=20, what="beat to say so again")
    left = keys.pttl(KEY)
    assert 0 < left <= 60_000
    time.sleep(3)  # longer than the shortest period: nothing keeps it any more
    assert keys.pttl(KEY) < left - 2_000
    keys.pexpire(KEY, 1)
    time.sleep(0.05)
    assert not shown()


@pytest.mark.parametrize("broken", ["missing", "a file"])
def test_a_folder_that_beat_can_not_write_to_is_named(tmp_path: Path, broken: str) -> None:
    folder = tmp_path / "schedules"
    if broken == "a file":
        folder.touch()
    with pytest.raises(SystemExit, match="--schedule") as ended:
        Scheduler(app, schedule_filename=str(folder / "beat"))
    assert str(folder) in str(ended.value)
