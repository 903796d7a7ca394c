"""Keep a set of processes running: start, log, restart with growing pauses, stop in order (docs/adr/0001).

One thread per child waits for it. Only those threads start children, so that the exception by which a signal ends the
main thread can never interrupt a half-done fork. Each child leads its own session; what it leaves behind is killed.
"""

import contextlib
import os
import signal
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import IO, Self

from webapp.local.home import LocalError, tail, write_private_json

MAX_CRASHES = 5
CRASH_WINDOW_SECONDS = 60.0
STEADY_SECONDS = 10.0
FIRST_PAUSE_SECONDS = 0.2
LONGEST_PAUSE_SECONDS = 5.0
STOP_SECONDS = 9.0
KEPT_LOGS = 3
CARETAKER = Path(__file__).with_name("caretaker.py")


def _no_extra_environment() -> Mapping[str, str]:
    return {}


@dataclass(frozen=True)
class Process:
    """Describe one child: `stop_order` groups stop from low to high, each within `stop_seconds`."""

    name: str
    command: Sequence[str]
    env: Mapping[str, str] = field(default_factory=lambda: dict(os.environ))
    cwd: Path = Path("/")
    stop_signal: signal.Signals = signal.SIGTERM
    stop_order: int = 0
    stop_seconds: float = 2.5
    restart: bool = True
    # Called before every start; what it returns is added to `env`.
    prepare: Callable[[], Mapping[str, str]] = _no_extra_environment


class Keeper(threading.Thread):
    """Run one process until told to stop, or until it has crashed MAX_CRASHES times in CRASH_WINDOW_SECONDS."""

    def __init__(self, process: Process, supervisor: "Supervisor") -> None:
        super().__init__(name=f"keeper-{process.name}", daemon=True)
        self.process = process
        self.log = supervisor.logs / f"{process.name}.log"
        self.returncode: int | None = None
        self._supervisor = supervisor
        self._popen: subprocess.Popen[bytes] | None = None
        self._lock = threading.Lock()
        self._pause = FIRST_PAUSE_SECONDS
        self._crashes: deque[float] = deque(maxlen=MAX_CRASHES)

    @property
    def pid(self) -> int | None:
        """Return the process id while the child runs."""
        popen = self._popen
        return popen.pid if popen is not None and popen.returncode is None else None

    def run(self) -> None:
        while not self._supervisor.stopping.is_set():
            try:
                popen = self._start()
            except (OSError, LocalError) as error:
                return self._fail(f"{self.process.name} cannot be started: {error}", getattr(error, "hint", ""))
            if popen is None:
                return
            began = time.monotonic()
            self.returncode = popen.wait()
            self._kill_group(popen.pid)
            self._supervisor.tell_caretaker(f"-{popen.pid}")
            self._supervisor.write_pids()
            if self._supervisor.stopping.is_set() or not self.process.restart:
                return
            if not self._may_restart(time.monotonic() - began):
                return

    def send(self, number: signal.Signals) -> None:
        """Signal the child and its group, if it runs."""
        with self._lock:
            if self.pid is not None:
                self._kill_group(self.pid, number)

    def _start(self) -> subprocess.Popen[bytes] | None:
        environment = {**self.process.env, **self.process.prepare()}
        with self._lock, self.log.open("ab") as log:
            if self._supervisor.stopping.is_set():
                return None
            self._popen = subprocess.Popen(  # noqa: S603 -- commands come from the process table
                self.process.command,
                env=environment,
                cwd=self.process.cwd,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
            self._supervisor.tell_caretaker(f"+{self._popen.pid} {int(self.process.stop_signal)}")
            self._supervisor.write_pids()
            return self._popen

    def _may_restart(self, lasted: float) -> bool:
        now = time.monotonic()
        if lasted > STEADY_SECONDS:
            self._pause = FIRST_PAUSE_SECONDS
        # Killed from outside (a person, the memory limit) is not the program's own failure: restart for ever.
        if self.returncode != -signal.SIGKILL:
            self._crashes.append(now)
            if len(self._crashes) == MAX_CRASHES and now - self._crashes[0] < CRASH_WINDOW_SECONDS:
                self._fail(f"{self.process.name} ended {MAX_CRASHES} times in a row ({self._ending()})", "")
                return False
        self._supervisor.report(f"{self.process.name} ended ({self._ending()}); starting it again")
        pause, self._pause = self._pause, min(self._pause * 2, LONGEST_PAUSE_SECONDS)
        return not self._supervisor.stopping.wait(pause)

    def _ending(self) -> str:
        code = self.returncode
        if code is not None and code < 0:
            return f"signal {signal.Signals(-code).name}"
        return f"exit status {code}"

    def _fail(self, message: str, hint: str) -> None:
        hint = hint or f"Last lines of {self.log}:\n{tail(self.log)}"
        self._supervisor.fail(LocalError(message, hint))

    @staticmethod
    def _kill_group(group: int, number: signal.Signals = signal.SIGKILL) -> None:
        try:
            os.killpg(group, number)
        except (ProcessLookupError, PermissionError):
            return  # Nothing of it is left (macOS answers EPERM for a group of zombies).


class Supervisor:
    """Own the children of one run; a context manager that stops them all on the way out.

    `report` gets one line per event worth showing. `keep_open` descriptors stay open until the last child is gone,
    even when this process is killed. `pids` names a file that lists the living children, name to process id.
    """

    def __init__(
        self,
        logs: Path,
        *,
        report: Callable[[str], None],
        keep_open: Sequence[int] = (),
        pids: Path | None = None,
    ) -> None:
        self.logs = logs
        self._pids = pids
        self.report = report
        self.stopping = threading.Event()
        self._changed = threading.Event()
        self._failure: LocalError | None = None
        self._keepers: dict[str, Keeper] = {}
        self._lock = threading.Lock()
        self._caretaker: subprocess.Popen[str] = subprocess.Popen(  # noqa: S603 -- our own script
            [sys.executable, "-I", "-S", str(CARETAKER)],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
            pass_fds=tuple(keep_open),
            cwd="/",
            text=True,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self.stop()

    def start(self, process: Process) -> Keeper:
        """Start a process under a fresh log file and keep it running."""
        keeper = Keeper(process, self)
        rotate(keeper.log)
        self._keepers[process.name] = keeper
        keeper.start()
        return keeper

    def run(self, process: Process, *, timeout: float) -> None:
        """Run a process to its end; raise LocalError with its last log lines when it fails or takes too long."""
        keeper = self.start(process)
        self.wait_until(lambda: not keeper.is_alive(), timeout=timeout, what=process.name)
        if keeper.returncode != 0:
            raise LocalError(f"{process.name} failed ({keeper.returncode})", f"Its output:\n{tail(keeper.log, 40)}")

    def pid(self, name: str) -> int | None:
        """Return the process id of a child, None while it is down."""
        return self._keepers[name].pid

    def wait_until(self, probe: Callable[[], bool], *, timeout: float, what: str, interval: float = 0.1) -> None:
        """Return once `probe()` is true; raise LocalError after `timeout` seconds or when a child was given up."""
        deadline = time.monotonic() + timeout
        while not probe():
            self.check()
            if time.monotonic() > deadline:
                raise LocalError(f"{what} took longer than {timeout:.0f} seconds", f"Look into {self.logs}.")
            self._changed.wait(interval)
        self.check()

    def wait(self) -> None:
        """Block until a child has to be given up, then raise its LocalError."""
        self._changed.wait()
        self.check()

    def check(self) -> None:
        """Raise the LocalError of the first child that had to be given up, if any."""
        if self._failure is not None:
            raise self._failure

    def fail(self, failure: LocalError) -> None:
        """Record why the run cannot go on (called by keepers)."""
        self._failure = self._failure or failure
        self._changed.set()

    def tell_caretaker(self, line: str) -> None:
        """Pass a line on to the caretaker; without one (it was killed) the run goes on unguarded."""
        pipe: IO[str] | None = self._caretaker.stdin
        with self._lock:
            try:
                if pipe is not None and not pipe.closed:
                    pipe.write(f"{line}\n")
                    pipe.flush()
            except BrokenPipeError:
                self.report("the caretaker was killed: if this process is killed too, its children stay")

    def write_pids(self) -> None:
        """Bring the list of living children up to date (called by keepers)."""
        if self._pids is None:
            return
        with self._lock:
            living = {name: pid for name in list(self._keepers) if (pid := self.pid(name)) is not None}
            write_private_json(self._pids, living)

    def stop(self) -> None:
        """Stop every child in order, the whole within STOP_SECONDS, and return when they are gone."""
        self.stopping.set()
        deadline = time.monotonic() + STOP_SECONDS
        for order in sorted({keeper.process.stop_order for keeper in self._keepers.values()}):
            group = [keeper for keeper in self._keepers.values() if keeper.process.stop_order == order]
            for keeper in group:
                keeper.send(keeper.process.stop_signal)
            limit = min(deadline, time.monotonic() + max(keeper.process.stop_seconds for keeper in group))
            for keeper in group:
                keeper.join(max(0.0, limit - time.monotonic()))
            for keeper in group:
                keeper.send(signal.SIGKILL)
                keeper.join()
        with self._lock, contextlib.suppress(BrokenPipeError):
            if self._caretaker.stdin is not None:
                self._caretaker.stdin.close()
        self._caretaker.wait()


def rotate(log: Path) -> None:
    """Move `x.log` to `x.log.1` and so on, keeping KEPT_LOGS old ones."""
    for number in range(KEPT_LOGS, 0, -1):
        older = log.with_name(f"{log.name}.{number}")
        newer = log if number == 1 else log.with_name(f"{log.name}.{number - 1}")
        if newer.exists():
            newer.replace(older)
