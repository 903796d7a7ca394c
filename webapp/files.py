"""Files that are either there as a whole or not at all."""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path


@contextlib.contextmanager
def new_file(path: Path, *, replace: bool) -> Iterator[Path]:
    """Yield a private, empty file beside `path`; put it in `path`'s place, durably, when the block ends well.

    With `replace` unset a file that is there by then stays as it is, and FileExistsError is raised.
    """
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")  # mode 0600
    os.close(descriptor)
    try:
        yield Path(name)
        _sync(Path(name))
        if replace:
            os.replace(name, path)
        else:
            os.link(name, path)  # unlike a rename, never replaces
        _sync(path.parent)
    finally:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(name)


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
