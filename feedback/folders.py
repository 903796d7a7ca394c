"""Folders that appear whole or not at all."""

from __future__ import annotations

import contextlib
import fcntl
import glob
import hashlib
import os
import shutil
import uuid
from collections.abc import Iterator
from pathlib import Path

MANIFEST = "manifest.json"


@contextlib.contextmanager
def whole_folder(target: Path, *, mode: int = 0o700) -> Iterator[Path]:
    """Give a temporary folder beside `target`; rename it there when the block ends well, remove it when not.

    Everything is on disk before the rename, so that a crash or a power cut leaves the old folder or the new one, never
    half of one. A folder that was there is replaced. `mode` is of the folder, less the umask.
    """
    target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    new = target.parent / f".{target.name}.{uuid.uuid4().hex}"
    making = new.with_name(f"{new.name}.part")
    new.mkdir(mode=mode)
    with _opened(new) as descriptor:
        try:
            with contextlib.suppress(OSError):  # a disk without locks: what a killed run leaves there stays
                fcntl.flock(descriptor, fcntl.LOCK_EX)
            os.rename(new, making)  # locked before it has a name that remove_leftovers looks for
            yield making
            _sync_all(making)
            _put(making, target)
        finally:
            shutil.rmtree(making, ignore_errors=True)


def _put(made: Path, target: Path) -> None:
    old = made.with_suffix(".old")
    # rename(2) replaces only empty folders: what is there steps aside first.
    with contextlib.suppress(FileNotFoundError):
        os.rename(target, old)
    os.rename(made, target)
    _sync(target.parent)
    shutil.rmtree(old, ignore_errors=True)


def remove_leftovers(target: Path) -> None:
    """Remove what killed runs left beside `target`, and nothing that a process of this machine is at.

    The system gives up a lock when its process ends, however it ends.
    """
    for left in target.parent.glob(f".{glob.escape(target.name)}.{'[0-9a-f]' * 32}.*"):
        with contextlib.suppress(OSError), _opened(left) as descriptor:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(left, ignore_errors=True)


def sha256_file(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _sync_all(folder: Path) -> None:
    for parent, _, names in os.walk(folder):
        for name in names:
            _sync(Path(parent, name))
        _sync(Path(parent))


def _sync(path: Path) -> None:
    with _opened(path) as descriptor:
        os.fsync(descriptor)


@contextlib.contextmanager
def _opened(path: Path) -> Iterator[int]:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        yield descriptor
    finally:
        os.close(descriptor)
