"""The data folder of a local run: its paths, its lock, and files that only the owner may read.

LocalError
└── raised by everything in webapp.local; `str(error)` says what happened, `error.hint` what to do
"""

import fcntl
import json
import os
import shutil
import socket
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from webapp.files import new_file

MIN_FREE_BYTES = 300 * 1024 * 1024


class LocalError(Exception):
    """Say what failed in a local run, and in `hint` what the reader can do about it."""

    def __init__(self, message: str, hint: str) -> None:
        super().__init__(message)
        self.hint = hint


@dataclass(frozen=True)
class Home:
    """Name the places under COUNTERSIGN_HOME; every path is absolute."""

    root: Path

    @property
    def run(self) -> Path:
        return self.root / "run"

    @property
    def log(self) -> Path:
        return self.root / "log"

    @property
    def postgres(self) -> Path:
        return self.root / "postgres"

    @property
    def redis(self) -> Path:
        return self.root / "redis"

    @property
    def static(self) -> Path:
        return self.root / "static"

    @property
    def services_file(self) -> Path:
        return self.run / "services.json"

    @property
    def demo_file(self) -> Path:
        return self.root / "demo.json"


def open_home(root: Path) -> Home:
    """Create the folders of a home and return it; raise LocalError when that is impossible or the disk is full."""
    home = Home(root.absolute())
    try:
        # 0711: when started by root, the database runs as another user and must be able to pass through.
        home.root.mkdir(mode=0o711, parents=True, exist_ok=True)
        for folder in (home.run, home.log, home.redis, home.static):
            folder.mkdir(mode=0o700, exist_ok=True)
    except OSError as error:
        raise LocalError(
            f"cannot create the data folder {home.root}: {error.strerror}",
            "Set COUNTERSIGN_HOME to a folder that you may write to.",
        ) from error
    require_free_space(home.root, MIN_FREE_BYTES)
    return home


def require_free_space(folder: Path, needed: int) -> None:
    """Raise LocalError when the disk of `folder` has fewer than `needed` bytes free."""
    free = shutil.disk_usage(folder).free
    if free < needed:
        raise LocalError(
            f"only {free // 2**20} MB are free on the disk of {folder}; Countersign needs {needed // 2**20} MB",
            "Free some space, or set COUNTERSIGN_HOME to a folder on another disk.",
        )


def lock_home(home: Home) -> int:
    """Take the lock of this home and return its file descriptor, to be kept open; raise BlockingIOError if held.

    The caretaker inherits the descriptor, so the lock outlives a killed `manage.py up` until its children are gone.
    """
    descriptor = os.open(home.run / "up.lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(descriptor)
        raise
    os.ftruncate(descriptor, 0)
    os.write(descriptor, str(os.getpid()).encode())
    return descriptor


def lock_holder(home: Home) -> int | None:
    """Return the process id of the `manage.py up` that took the lock last, None when it is no longer alive."""
    try:
        pid = int((home.run / "up.lock").read_text())
        os.kill(pid, 0)
    except PermissionError:
        return pid
    except (OSError, ValueError):
        return None
    return pid


def write_private(path: Path, text: str) -> None:
    """Replace `path` by a file of mode 0600 in one step: after a crash it holds the old text or the new one."""
    with new_file(path, replace=True) as temporary:
        temporary.write_text(text, encoding="utf-8")


def write_private_json(path: Path, data: Mapping[str, Any]) -> None:
    """Replace `path` by `data` as JSON, mode 0600."""
    write_private(path, json.dumps(data, indent=2, ensure_ascii=False) + "\n")


def free_port(preferred: int | None = None) -> int:
    """Return a loopback TCP port that nobody listens on, `preferred` if that one is free."""
    for port in (preferred, 0):
        if port is None:
            continue
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return int(probe.getsockname()[1])
    raise LocalError("no free port on the loopback interface", "Is the interface `lo` up?")


def tail(path: Path, lines: int = 15) -> str:
    """Return the last `lines` lines of a log, "" when there is none."""
    try:
        with path.open("rb") as file:
            file.seek(max(0, path.stat().st_size - 16_384))
            text = file.read().decode("utf-8", "replace")
    except OSError:
        return ""
    return "\n".join(text.splitlines()[-lines:])
