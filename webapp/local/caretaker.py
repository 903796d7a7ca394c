"""Stop the children of a supervisor that was killed: `python -I -S caretaker.py`, told over standard input.

Each line is `+GROUP SIGNAL` (a process group was started; how to ask it to stop) or `-GROUP` (it ended). End of input
means the supervisor is gone, however it went: ask every group to stop, then kill what is left. This covers
grandchildren and systems without PR_SET_PDEATHSIG.
"""

import contextlib
import os
import signal
import sys
import time

PATIENCE_SECONDS = 5.0


def _send(group: int, number: int) -> bool:
    """Signal a group; return False when it is gone (an all-zombie group of another session answers EPERM on macOS)."""
    try:
        os.killpg(group, number)
    except (ProcessLookupError, PermissionError):
        return False
    return True


def _read_groups() -> dict[int, int]:
    groups: dict[int, int] = {}
    for line in sys.stdin:
        if line.startswith("+"):
            group, number = line[1:].split()
            groups[int(group)] = int(number)
        else:
            groups.pop(int(line[1:]), None)
    return groups


def _stop(groups: dict[int, int]) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    for group, number in groups.items():
        _send(group, number)
    remaining = set(groups)
    while remaining and time.monotonic() < deadline:
        remaining = {group for group in remaining if _send(group, 0)}
        time.sleep(0.05)
    # Groups whose leader ended may still hold a member that ignored the signal.
    for group in groups:
        _send(group, signal.SIGKILL)


if __name__ == "__main__":
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        with contextlib.suppress(OSError):
            signal.signal(number, signal.SIG_IGN)
    _stop(_read_groups())
