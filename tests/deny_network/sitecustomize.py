"""Loaded by every Python process that has this folder on PYTHONPATH: no sockets and no look-ups beyond this machine.

An attempt is written to the file that COUNTERSIGN_TEST_DENIED names and raises PermissionError. The file's sibling
`.guarded` gets the id of every process that loaded this. Native code that opens sockets by itself passes unseen.
"""

import ipaddress
import os
import sys
import traceback

DENIED = os.environ["COUNTERSIGN_TEST_DENIED"]
LOCAL_NAMES = ("", "localhost", "0.0.0.0", "::")  # noqa: S104 - the names of listening on this machine
#: Audit event to the place of the address or name among its arguments.
WATCHED = {
    "socket.connect": 1,
    "socket.sendto": 1,
    "socket.sendmsg": 1,
    "socket.getaddrinfo": 0,
    "socket.gethostbyname": 0,
    "socket.gethostbyaddr": 0,
    "socket.getnameinfo": 0,
}


def stays_here(target: object) -> bool:
    if target is None:
        return True
    if isinstance(target, tuple):
        return stays_here(target[0])
    if isinstance(target, bytes):
        target = target.decode(errors="replace")
    name = str(target)
    if name in LOCAL_NAMES or name.startswith(("/", "\0")):  # a path: a Unix socket
        return True
    try:
        return ipaddress.ip_address(name.removeprefix("::ffff:")).is_loopback
    except ValueError:
        return False


def watch(event: str, arguments: tuple[object, ...]) -> None:
    place = WATCHED.get(event)
    if place is None or stays_here(arguments[place]):
        return
    stack = "".join(traceback.format_stack(limit=12))
    append(DENIED, f"{event} {arguments[place]!r} in {sys.argv}\n{stack}\n")
    raise PermissionError(f"{event} {arguments[place]!r}: nothing beyond this machine may be reached")


def append(path: str, text: str) -> None:
    # One write of a file opened for appending: lines of different processes do not mix.
    descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    try:
        os.write(descriptor, text.encode())
    finally:
        os.close(descriptor)


sys.addaudithook(watch)
append(f"{DENIED}.guarded", f"{os.getpid()}\n")
