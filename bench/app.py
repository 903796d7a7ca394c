"""Start a whole app for a benchmark, in a folder and on a port of its own."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psycopg

from screening.categories import MODEL_ENTITIES
from screening.packs import read_pack
from webapp.local.home import free_port

ROOT = Path(__file__).resolve().parent.parent
START_SECONDS = 300
PII = "    detector: pii\n    on: [output]\n    entities:\n"
#: What the naive app looks for with a model of its own.
NAMES = "".join(f"      {name}: observe\n" for name in MODEL_ENTITIES)
MAKE_DEFAULT = """
import sys
from policies.services import add_policy_version
from webapp.accounts.models import Project
project = Project.objects.get(slug="demo")
add_policy_version(project=project, document=sys.stdin.read())
project.default_policy = "support-bot-names"
project.save(update_fields=["default_policy"])
"""


@dataclass(frozen=True)
class App:
    url: str
    api_key: str
    home: Path


def running_app(home: Path) -> App:
    """Return the app that `make up` runs on this machine; raise SystemExit when there is none."""
    try:
        facts = json.loads((home / "demo.json").read_text())
    except OSError:
        raise SystemExit(f"No app: {home}/demo.json is not there. Start one with `make up`.") from None
    return App(facts["url"], facts["api_key"], home)


@contextlib.contextmanager
def revision(name: str) -> Iterator[Path]:
    """Give the source of an earlier commit in a folder of its own, until the block ends."""
    with tempfile.TemporaryDirectory(prefix="countersign-before-") as place:
        archive = subprocess.run(["git", "archive", name], cwd=ROOT, capture_output=True, check=True)  # noqa: S607
        subprocess.run(["tar", "-x", "-C", place], input=archive.stdout, check=True)  # noqa: S607
        yield Path(place)


@contextlib.contextmanager
def own_app(source: Path = ROOT, **env: str) -> Iterator[App]:
    """Run `manage.py up` of `source` with `env` added, until the block ends. No limit of a project is in its way."""
    with tempfile.TemporaryDirectory(prefix="countersign-bench-") as place:
        home = Path(place)
        home.chmod(0o711)
        variables = {name: value for name, value in os.environ.items() if name not in ("DATABASE_URL", "REDIS_URL")}
        variables |= {"COUNTERSIGN_HOME": place, "COUNTERSIGN_PORT": str(free_port()), **env}
        # Before what is installed, which is this source.
        variables["PYTHONPATH"] = os.pathsep.join([str(source), str(source / "guardrails")])
        with (home / "up.txt").open("wb") as log:
            process = subprocess.Popen(
                [sys.executable, "manage.py", "up"], cwd=source, env=variables, stdout=log, stderr=subprocess.STDOUT
            )
        try:
            _wait_ready(process, home / "up.txt")
            _lift_limits(home)
            yield running_app(home)
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(30)


@contextlib.contextmanager
def naming_app(**env: str) -> Iterator[App]:
    """As own_app, and the default policy, support-bot, looks for names too, as the naive app does."""
    with own_app(ROOT, **env) as app:
        document = read_pack("support-bot").replace("name: support-bot\n", "name: support-bot-names\n")
        document = document.replace(PII, PII + NAMES)
        command = [sys.executable, "manage.py", "shell", "--no-imports", "-c", MAKE_DEFAULT]
        variables = {**os.environ, "COUNTERSIGN_HOME": str(app.home)}
        subprocess.run(command, cwd=ROOT, env=variables, input=document, text=True, check=True)
        yield app


def use(home: str) -> None:
    """Let this process use the services and models of the app in `home`."""
    os.environ["COUNTERSIGN_HOME"] = home
    os.environ["DJANGO_SETTINGS_MODULE"] = "webapp.settings"
    import django

    django.setup()


def _wait_ready(process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while "\nready " not in log.read_text():
        if process.poll() is not None or time.monotonic() > deadline:
            raise SystemExit(log.read_text())
        time.sleep(0.2)


def _lift_limits(home: Path) -> None:
    services = json.loads((home / "run" / "services.json").read_text())
    with psycopg.connect(services["database_url"]) as connection:
        connection.execute("UPDATE accounts_project SET requests_per_minute = 100000000")
