"""Run a command as another user, from root: `python -I -S unprivileged.py UID GID [--enter] COMMAND...`

PostgreSQL refuses to run as root. With `--enter` the command keeps the one capability that lets it pass through
folders closed to others (a clone under /root, a folder of mktemp -d); its own files belong to it as usual.
A script of its own, because a thread of the supervisor starts it: code between fork and exec is not safe there.
"""

import ctypes
import os
import sys

CAP_DAC_OVERRIDE = 1
CAP_DAC_READ_SEARCH = 2
PR_SET_SECUREBITS = 28
SECBIT_NO_SETUID_FIXUP = 1 << 2
PR_CAP_AMBIENT = 47
PR_CAP_AMBIENT_RAISE = 2
CAPABILITY_VERSION_3 = 0x20080522


def _prctl(*arguments: int) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    padded = [ctypes.c_ulong(value) for value in (*arguments[1:], 0, 0, 0, 0)][:4]
    if libc.prctl(arguments[0], *padded) != 0:
        raise OSError(ctypes.get_errno(), "prctl")


def _keep_only(capability: int) -> None:
    """Reduce this thread to one capability and pass it on through exec (capset(2), capabilities(7) "ambient")."""
    libc = ctypes.CDLL(None, use_errno=True)
    header = (ctypes.c_uint32 * 2)(CAPABILITY_VERSION_3, 0)
    mask = 1 << capability
    # effective, permitted, inheritable; then the same for capabilities 32 and up.
    data = (ctypes.c_uint32 * 6)(mask, mask, mask, 0, 0, 0)
    if libc.capset(header, data) != 0:
        raise OSError(ctypes.get_errno(), "capset")
    _prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, capability)


def _may_enter_closed_folders() -> None:
    # Containers usually grant the second and not the first, which is the smaller one.
    for capability in (CAP_DAC_READ_SEARCH, CAP_DAC_OVERRIDE):
        try:
            _keep_only(capability)
        except OSError:
            continue
        return
    sys.exit("this container grants neither CAP_DAC_READ_SEARCH nor CAP_DAC_OVERRIDE")


def main(arguments: list[str]) -> None:
    uid, gid, *command = arguments
    enter = command[0] == "--enter"
    if enter:
        command = command[1:]
        # Keep capabilities over the change of user, and in access(2) too, which otherwise ignores those of everybody
        # but root: initdb asks it whether the programs beside it can be run.
        _prctl(PR_SET_SECUREBITS, SECBIT_NO_SETUID_FIXUP)
    os.setgroups([])
    os.setresgid(int(gid), int(gid), int(gid))
    os.setresuid(int(uid), int(uid), int(uid))
    if enter:
        _may_enter_closed_folders()
    os.execv(command[0], command)  # noqa: S606 -- the point of this script: no shell, a fixed path


if __name__ == "__main__":
    main(sys.argv[1:])
