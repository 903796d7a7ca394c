"""Bring the whole app up on this machine, step by step, under one supervisor."""

import json
import os
import socket
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import redis

from webapp.local.external import check_database, check_redis
from webapp.local.home import Home, LocalError, lock_holder, lock_home, open_home, tail, write_private_json
from webapp.local.postgres import Postgres, explain_failure
from webapp.local.process_table import PROJECT, processes
from webapp.local.processes import Process, Supervisor
from webapp.local.ready import missing_workers, try_check
from webapp.local.redis import Redis

START_SECONDS = 240.0
PREVIOUS_RUN_SECONDS = 15.0
NEWS_SECONDS = 5.0


@dataclass(frozen=True)
class Request:
    """What the environment asks for; empty addresses mean our own servers."""

    root: Path
    port: int
    database_url: str
    redis_url: str


class Stack:
    """One run of the app; `say` shows a line of progress."""

    def __init__(self, request: Request, home: Home, supervisor: Supervisor, say: Callable[[str], None]) -> None:
        self._request = request
        self._home = home
        self._supervisor = supervisor
        self._say = say
        self._env: Mapping[str, str] = {}

    def bring_up(self) -> Mapping[str, Any]:
        """Start everything, wait for a check that went through every queue, and return the facts of demo.json."""
        require_free_port(self._request.port)
        database_url, redis_url = self._database(), self._redis()
        write_private_json(self._home.services_file, {"database_url": database_url, "redis_url": redis_url})
        self._env = {
            **os.environ,
            "COUNTERSIGN_HOME": str(self._home.root),
            "COUNTERSIGN_PORT": str(self._request.port),
            "DATABASE_URL": database_url,
            "REDIS_URL": redis_url,
        }
        self._manage("migrate", "Database tables", "--no-input")
        self._manage("demo", "Demo project")
        facts: Mapping[str, Any] = json.loads(self._home.demo_file.read_text())
        self._say("Web server and workers")
        for process in processes(env=self._env, port=self._request.port, run=self._home.run):
            self._supervisor.start(process)
        self._wait_for_workers(redis_url)
        self._wait_for_a_check(str(facts["api_key"]))
        return facts

    def _database(self) -> str:
        if self._request.database_url:
            self._say(f"PostgreSQL: using the server of DATABASE_URL, {check_database(self._request.database_url)}")
            return self._request.database_url
        postgres = Postgres(self._home)
        if not postgres.data.exists():
            self._say(f"PostgreSQL: creating a database in {postgres.folder} (first start)")
        postgres.create()
        self._say(f"PostgreSQL: own server, 127.0.0.1:{postgres.port}")
        try:
            self._supervisor.start(postgres.process())
            self._supervisor.wait_until(postgres.accepts, timeout=60, what="starting PostgreSQL")
        except LocalError as failure:
            raise explain_failure(postgres, failure) from failure
        return postgres.url

    def _redis(self) -> str:
        if self._request.redis_url:
            self._say(f"Redis: using the server of REDIS_URL, {check_redis(self._request.redis_url)}")
            return self._request.redis_url
        server = Redis(self._home)
        self._say(f"Redis: own server, 127.0.0.1:{server.port}")
        self._supervisor.start(server.process())
        self._supervisor.wait_until(server.accepts, timeout=20, what="starting Redis")
        return server.url

    def _manage(self, command: str, title: str, *options: str) -> None:
        self._say(title)
        line = [sys.executable, str(PROJECT / "manage.py"), command, *options]
        self._supervisor.run(Process(command, line, self._env, PROJECT, restart=False), timeout=START_SECONDS)
        self._say(f"  {tail(self._home.log / f'{command}.log', 1).strip()}")

    def _wait_for_workers(self, redis_url: str) -> None:
        """Return once a worker serves each queue. A check sent before would wait in the review queue, unscanned."""
        with redis.Redis.from_url(redis_url) as client:
            self._wait("the workers", lambda: missing_workers(client))

    def _wait_for_a_check(self, api_key: str) -> None:
        self._wait("the first check", lambda: try_check(self._request.port, api_key))

    def _wait(self, what: str, find_state: Callable[[], str]) -> None:
        """Ask for the state until it is empty, and show it now and then."""
        began = last_news = time.monotonic()
        state = ""

        def done() -> bool:
            nonlocal state, last_news
            state = find_state()
            if state and time.monotonic() - last_news > NEWS_SECONDS:
                last_news = time.monotonic()
                self._say(f"  {state} ({last_news - began:.0f} s; logs: {self._home.log})")
            return not state

        try:
            self._supervisor.wait_until(done, timeout=START_SECONDS, what=what, interval=0.25)
        except LocalError as failure:
            raise LocalError(
                f"{failure} (last state: {state or 'none'})", f"{failure.hint}\n{self._tails()}"
            ) from failure

    def _tails(self) -> str:
        names = ("web", "screen-cpu", "screen-gpu", "screen-gpu-0")
        logs = {path: tail(path, 8) for path in (self._home.log / f"{name}.log" for name in names)}
        return "\n".join(f"--- {path}\n{text}" for path, text in logs.items() if text)


@contextmanager
def running(request: Request, say: Callable[[str], None]) -> Iterator[tuple[Stack, Supervisor]]:
    """Hold the lock of the home and a supervisor; stop every child on the way out."""
    home = open_home(request.root)
    lock = _lock(home, say)
    try:
        with Supervisor(home.log, report=say, keep_open=[lock], pids=home.run / "pids.json") as supervisor:
            yield Stack(request, home, supervisor, say), supervisor
    finally:
        home.services_file.unlink(missing_ok=True)
        (home.run / "pids.json").unlink(missing_ok=True)
        os.close(lock)


def require_free_port(port: int) -> None:
    """Raise LocalError when something listens on the port already."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as error:
            raise LocalError(
                f"port {port} cannot be used: {error.strerror}",
                f"Stop the program that uses it, or choose another: COUNTERSIGN_PORT={port + 1} make up",
            ) from error


def _lock(home: Home, tell: Callable[[str], None]) -> int:
    """Take the lock, waiting while the caretaker of a killed run still stops its children."""
    deadline = time.monotonic() + PREVIOUS_RUN_SECONDS
    told = False
    while True:
        try:
            return lock_home(home)
        except BlockingIOError:
            holder = lock_holder(home)
        if holder is not None or time.monotonic() > deadline:
            raise LocalError(
                f"Countersign already runs on {home.root} (process {holder or 'unknown'})",
                "Stop that one first, or set COUNTERSIGN_HOME and COUNTERSIGN_PORT for a second one.",
            )
        if not told:
            tell("The previous run was killed; waiting until its processes are gone")
            told = True
        time.sleep(0.2)  # Nothing signals that a lock was freed, short of blocking without a limit.
