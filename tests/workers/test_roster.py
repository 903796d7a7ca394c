"""What workers say of themselves, and the list that operators get of it."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator

import pytest
import redis
from django.core.management import CommandError, call_command
from pytest_django import Settings

from tests.live import LiveApp
from workers.roster import PREFIX, Worker, enter, living_workers

READING = Worker("gpu0@a", ("screen.gpu",), "guard@1", "packed int8 on cpu", {"texts": 1_204, "dropped": 3})


@pytest.fixture
def broker(redis_url: str, settings: Settings) -> Iterator[redis.Redis]:
    """Give a database of the session's Redis of which no worker knows."""
    settings.REDIS_URL = redis_url.removesuffix("/0") + "/8"
    with redis.Redis.from_url(settings.REDIS_URL) as client:
        yield client
        client.flushdb()


def say(broker: redis.Redis, *workers: Worker) -> None:
    for worker in workers:
        enter(broker, worker, seconds=60)


def test_a_worker_is_listed_with_its_model_and_its_counts(
    broker: redis.Redis, capsys: pytest.CaptureFixture[str]
) -> None:
    say(broker, Worker("cpu1@a", ("screen.cpu",)), READING)
    call_command("workers")
    head, exact, model = capsys.readouterr().out.splitlines()
    assert exact.split() == ["cpu1@a", "screen.cpu", *"––––––"]
    assert model[head.index("guard model") :].startswith("guard@1")
    assert model[head.index("computed") :].split("  ")[0] == "packed int8 on cpu"
    assert model.split()[-4:] == ["1,204", "3", "–", "–"]


def test_models_that_differ_are_told_of(broker: redis.Redis, capsys: pytest.CaptureFixture[str]) -> None:
    say(broker, READING, Worker("gpu1@a", ("screen.gpu",), "guard@1", "packed int8 on cpu"))
    call_command("workers")
    assert capsys.readouterr().err == ""
    say(broker, Worker("gpu0@b", ("screen.gpu",), "guard@2", "packed int8 on cpu"))
    call_command("workers")
    assert "differ" in capsys.readouterr().err


def test_the_list_is_json_for_programs(broker: redis.Redis, capsys: pytest.CaptureFixture[str]) -> None:
    say(broker, READING)
    call_command("workers", "--json")
    (worker,) = json.loads(capsys.readouterr().out)
    assert (worker["name"], worker["counts"]["texts"]) == ("gpu0@a", 1_204)


def test_what_is_of_another_version_or_gone_is_left_out(broker: redis.Redis) -> None:
    say(broker, READING)
    broker.set(f"{PREFIX}newer", '{"title": "x"}')
    assert living_workers(broker) == [READING]
    broker.delete(f"{PREFIX}{READING.name}")
    assert living_workers(broker) == []


@pytest.mark.parametrize("url", ["", "nonsense", "redis://:pa/ssword@h:6379/0", "redis://127.0.0.1:1/0"])
def test_a_redis_that_is_away_is_named(settings: Settings, url: str) -> None:
    settings.REDIS_URL = url
    with pytest.raises(CommandError, match="REDIS_URL") as refused:
        call_command("workers")
    assert "'pa'" not in str(refused.value)


def test_the_workers_of_a_running_app_say_what_they_serve(live_app: LiveApp) -> None:
    command = [sys.executable, "manage.py", "workers", "--json"]
    said = subprocess.run(command, env=live_app.env, stdout=subprocess.PIPE, check=True)
    listed = json.loads(said.stdout)
    assert all(worker["name"] for worker in listed)
    assert len({worker["name"] for worker in listed}) == len(listed)
    workers = {queue: worker for worker in listed for queue in worker["queues"]}
    assert {"screen.cpu", "screen.gpu", "control", "conclude"} <= set(workers)
    reading = workers["screen.gpu"]
    assert reading["model"].startswith("minilm-guard-")
    assert reading["runtime"].startswith("packed ")
    assert reading["counts"]["texts"] > 0  # of the warm-up, if nobody else asked
    assert workers["screen.cpu"]["model"] == ""
