"""Find the processes of one home, by arguments, environment or working folder."""

import contextlib
import time
from pathlib import Path

import psutil

SECONDS_TO_VANISH = 12.0


def processes_of(home: Path) -> list[str]:
    """Return one line for each living process that belongs to `home`."""
    found = []
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.NoSuchProcess, psutil.AccessDenied, psutil.ZombieProcess):
            places = [*process.cmdline(), *process.environ().values(), process.cwd()]
            if process.status() != psutil.STATUS_ZOMBIE and any(place.startswith(str(home)) for place in places):
                found.append(f"{process.pid} {process.status()} {' '.join(process.cmdline())[:120]}")
    return found


def left_over(home: Path) -> list[str]:
    """Return what is still there after the time that a stop may take."""
    deadline = time.monotonic() + SECONDS_TO_VANISH
    while (found := processes_of(home)) and time.monotonic() < deadline:
        time.sleep(0.1)
    return found
