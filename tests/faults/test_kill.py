"""kill -9 of each process in turn, under load: nothing accepted is lost, nothing is answered twice differently."""

from __future__ import annotations

import datetime as dt
import logging
import os
import signal
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from tests.faults.books import (
    Books,
    assert_each_check_was_concluded_once,
    assert_nothing_passed_unscanned,
    assert_told_the_truth,
)
from tests.faults.load import Load
from tests.faults.waiting import wait_until
from tests.live import LiveApp

pytestmark = [pytest.mark.faults, pytest.mark.timeout(900)]
log = logging.getLogger(__name__)
CLIENTS = 8
#: Checks that clients begin before the next process is killed.
UNDER_LOAD = 40
RECOVERY_SECONDS = 90.0
#: What may die without the web server noticing more than missing answers.
BEHIND_THE_WEB = ("screen-cpu", "screen-gpu", "redis", "control", "conclude", "beat")


def test_nothing_accepted_is_lost_and_nothing_is_answered_twice_differently(fake_app: LiveApp, tmp_path: Path) -> None:
    began, since = time.monotonic(), dt.datetime.now(dt.UTC).date()
    load, books = Load(fake_app.port, fake_app.api_key, clients=CLIENTS), Books(fake_app)
    load.start()
    try:
        for name in BEHIND_THE_WEB:
            web = web_pids(fake_app)
            survive(name, lambda name=name: kill(fake_app, name), load)  # type: ignore[misc]
            assert web_pids(fake_app) == web, f"the web server was started again after the kill of {name}"
        survive("web", lambda: kill(fake_app, "web"), load)
        survive("serving process", lambda: kill_the_serving_process(fake_app), load)
        survive("postgres", lambda: kill(fake_app, "postgres"), load)
    finally:
        load.finish(RECOVERY_SECONDS)
    assert_told_the_truth(load.asked, books)
    assert_nothing_passed_unscanned(books)
    assert_each_check_was_concluded_once(books)
    assert_no_log_quotes_a_text(fake_app)
    assert "intact" in books.manage("audit", "verify")
    equation = books.reconciliation(tmp_path, str(since), str(since + dt.timedelta(days=2)))
    log.info("%s in %.0f s\n%s", figures(load, books), time.monotonic() - began, equation)


def survive(name: str, fault: Callable[[], None], load: Load) -> None:
    """Let `fault` happen under load, and return once new checks are screened by every rule again."""
    begun = len(load.asked) + UNDER_LOAD
    wait_until(lambda: len(load.asked) >= begun, "clients to send checks")
    fault()
    struck = time.monotonic()
    probe = iter(range(10_000))
    wait_until(lambda: fully_scanned(load, f"{name}-{next(probe)}"), f"whole checks after the kill of {name}")
    log.info("%s: whole checks again after %.1f s", name, time.monotonic() - struck)


def kill(app: LiveApp, name: str) -> None:
    pid = app.pid(name)
    assert pid is not None, f"{name} does not run"
    os.kill(pid, signal.SIGKILL)
    wait_until(lambda: app.pid(name) not in (None, pid), f"{name} to be started again")


def kill_the_serving_process(app: LiveApp) -> None:
    """Kill the child of the web server that holds the requests."""
    _, *children = web_pids(app)
    os.kill(children[-1], signal.SIGKILL)
    wait_until(lambda: len(web_pids(app)) > 1 and children[-1] not in web_pids(app), "another serving process")


def web_pids(app: LiveApp) -> list[int]:
    """Return the web server's process and its children, [] while it is down."""
    pid = app.pid("web")
    try:
        return [] if pid is None else [pid, *sorted(child.pid for child in psutil.Process(pid).children())]
    except psutil.NoSuchProcess:
        return []


def fully_scanned(load: Load, probe: str) -> bool:
    """Ask two new checks, one of them asynchronous, and tell whether every rule ran on both."""
    return all(load.probe(f"{probe}-{later}", later=later)["unscanned"] == [] for later in (False, True))


def assert_no_log_quotes_a_text(app: LiveApp) -> None:
    logs = list((app.home / "log").iterdir())
    assert logs
    assert [path.name for path in logs if b"@example.com" in path.read_bytes()] == []


def figures(load: Load, books: Books) -> str:
    tries = sum(asked.tries for asked in load.asked)
    held = sum(row["unscanned"] != [] for row in books.checks().values())
    return f"{len(load.asked)} checks, {tries} requests, refused {load.refusals}, held because unscanned {held}"
