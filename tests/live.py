"""The whole app in a process of its own, as `make up` runs it, for end-to-end, browser and fault tests."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import IO, Any

from tests.local.leftovers import left_over
from tests.services import services
from webapp.local.home import free_port
from webapp.local.process_table import PROJECT

START_SECONDS = 240.0
STOP_SECONDS = 10.0


def quiet_port() -> int:
    """Return a free port that no outgoing connection is given meanwhile: the app binds it only when it is set up."""
    return free_port(random.randrange(12_000, 30_000))


class LiveApp:
    """`manage.py up` on a home and a port of its own; facts as in demo.json.

    `env` adds to the environment; DATABASE_URL and REDIS_URL of the test session are taken out of it.
    """

    def __init__(
        self,
        home: Path,
        *,
        port: int | None = None,
        env: dict[str, str] | None = None,
        command: Sequence[str] = (sys.executable, "manage.py", "up"),
    ) -> None:
        self._command = command
        self.home = home
        self.port = port or quiet_port()
        self.output = services.folder / f"up-{self.port}.txt"
        self._env = {
            **{name: value for name, value in os.environ.items() if name not in ("DATABASE_URL", "REDIS_URL")},
            "COUNTERSIGN_HOME": str(home),
            "COUNTERSIGN_PORT": str(self.port),
            **(env or {}),
        }
        self.process = self._launch()

    def _launch(self) -> subprocess.Popen[bytes]:
        log: IO[bytes]
        with self.output.open("wb") as log:
            return subprocess.Popen(self._command, env=self._env, stdout=log, stderr=subprocess.STDOUT, cwd=PROJECT)

    @property
    def env(self) -> dict[str, str]:
        """Return the environment in which other `manage.py` commands find this app."""
        return dict(self._env)

    @property
    def facts(self) -> dict[str, Any]:
        facts: dict[str, Any] = json.loads((self.home / "demo.json").read_text())
        return facts

    @property
    def url(self) -> str:
        return str(self.facts["url"])

    @property
    def api_key(self) -> str:
        return str(self.facts["api_key"])

    @property
    def users(self) -> dict[str, dict[str, str]]:
        users: dict[str, dict[str, str]] = self.facts["users"]
        return users

    @property
    def services(self) -> dict[str, str]:
        """Return `database_url` and `redis_url` of the running servers."""
        services: dict[str, str] = json.loads((self.home / "run" / "services.json").read_text())
        return services

    def wait_ready(self) -> LiveApp:
        """Return once the ready block was printed; fail with what was printed instead."""
        deadline = time.monotonic() + START_SECONDS
        while "\nready " not in self.output.read_text():
            assert self.process.poll() is None, self.output.read_text()
            assert time.monotonic() < deadline, self.output.read_text()
            time.sleep(0.1)
        return self

    def pid(self, name: str) -> int | None:
        """Return the process id of a child by its name in the process table, None while it is down."""
        try:
            pids: dict[str, int] = json.loads((self.home / "run" / "pids.json").read_text())
        except (OSError, ValueError):
            return None
        return pids.get(name)

    def ended(self) -> int:
        """Wait until it ends by itself and return its exit status."""
        return self.process.wait(START_SECONDS)

    def restart(self) -> LiveApp:
        """Stop it and start it again on the same home and port; `wait_ready` comes after."""
        self.stop()
        self.process = self._launch()
        return self

    @property
    def supervisor_pid(self) -> int:
        return int((self.home / "run" / "up.lock").read_text())

    def kill(self) -> None:
        """Kill the supervisor alone, as the memory limit of a machine might."""
        os.kill(self.supervisor_pid, signal.SIGKILL)
        self.process.wait(STOP_SECONDS)

    def stop(self, number: signal.Signals = signal.SIGTERM) -> float:
        """Stop it, check that it took at most ten seconds and left no process behind; return the seconds."""
        began = time.monotonic()
        self.process.send_signal(number)
        self.process.wait(STOP_SECONDS + 5)
        seconds = time.monotonic() - began
        assert seconds <= STOP_SECONDS, f"stopping took {seconds:.1f} s"
        assert left_over(self.home) == []
        return seconds
