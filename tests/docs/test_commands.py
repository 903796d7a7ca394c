"""Every command of the README and the tutorial runs, as it stands in the text."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import time
import uuid
from pathlib import Path
from typing import Any

import pytest

from tests.docs.markdown import Part, name_of, parts
from tests.docs.reviewing import decide_items
from tests.live import LiveApp
from webapp.local.process_table import PROJECT

#: Commands that are not run here, and why that is no gap.
ELSEWHERE = {"make up": "the app runs already; tests/local/test_up.py starts it by make"}
#: Sections in which the reader does something by hand before the commands that follow.
BY_HAND = ("A first review", "Decide")
#: Commands that serve until they are stopped, and what they print when they do.
SERVING = {".venv/bin/celery -A workers.app worker": " ready."}
#: What the text makes up, and what it is here.
MADE_UP_REDIS = "rediss://:secret@redis.example.org:6379/0"
MADE_UP_KEY = "tutorial-1"

SAMPLES = 120
DECIDED = 3
# A machine that is busy with other tests may miss a deadline of a rule; then the answer differs from the text.
ATTEMPTS = 5
PATIENCE = 240.0
_ASSIGNMENT = re.compile(r"^[A-Z]+=.*$", re.M)


class Reader:
    """Somebody who reads a page in a folder that looks like the clone, and pastes each block into a terminal."""

    def __init__(self, app: LiveApp, folder: Path) -> None:
        self._app = app
        self._folder = folder
        self._env = {**app.env, "COUNT": str(SAMPLES)}
        self._known: list[str] = []
        for entry in PROJECT.iterdir():
            if entry.name not in ("var", "out"):
                (folder / entry.name).symlink_to(entry)

    def follow(self, part: Part, shown: str | None) -> None:
        """Run a block; the answer must have what `shown`, a JSON example, shows."""
        for line in part.text.splitlines():
            assert line not in ELSEWHERE or part.text.strip() == line, "give this command a block of its own"
        if part.text.strip() in ELSEWHERE:
            return
        for command, sign in SERVING.items():
            if command in part.text:
                self._serve(part, sign)
                return
        printed = self._run(part)
        for _ in range(ATTEMPTS - 1):
            if shown is None or fits(json.loads(shown), json.loads(printed)):
                break
            printed = self._run(part)
        assert shown is None or fits(json.loads(shown), json.loads(printed)), printed
        self._known += _ASSIGNMENT.findall(part.text)

    def write(self, name: str, text: str) -> None:
        (self._folder / name).write_text(text)

    def _run(self, part: Part) -> str:
        done = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", self._script(part)],
            cwd=self._folder,
            env=self._env,
            capture_output=True,
            text=True,
            check=False,
            timeout=PATIENCE,
        )
        assert done.returncode == 0, f"line {part.line}:\n{part.text}\n{done.stdout}\n{done.stderr}"
        return done.stdout

    def _script(self, part: Part) -> str:
        text = part.text.replace(MADE_UP_REDIS, self._app.services["redis_url"])
        text = text.replace(MADE_UP_KEY, uuid.uuid4().hex)
        if text.strip().startswith("make "):
            text = self._recipe(text.strip())
        return "\n".join([*self._known, text])

    def _recipe(self, command: str) -> str:
        """Return what make would run last: the installation before it is not for a test run to change."""
        shown = subprocess.run(
            ["bash", "-c", f"{command} -n --no-print-directory"],
            cwd=PROJECT,
            env=self._env,
            capture_output=True,
            text=True,
            check=True,
        )
        return shown.stdout.strip().splitlines()[-1]

    def _serve(self, part: Part, sign: str) -> None:
        log = self._folder / "serving.txt"
        with log.open("wb") as out:
            process = subprocess.Popen(
                ["bash", "-euo", "pipefail", "-c", self._script(part)],
                cwd=self._folder,
                env=self._env,
                stdout=out,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        try:
            deadline = time.monotonic() + PATIENCE
            while sign not in log.read_text():
                assert process.poll() is None, log.read_text()
                assert time.monotonic() < deadline, log.read_text()
                time.sleep(0.2)  # a file that grows tells nobody
        finally:
            os.killpg(process.pid, signal.SIGTERM)
            process.wait(30)


def fits(shown: Any, actual: Any) -> bool:
    """Tell whether `actual` has all that `shown` shows: a part of each object and list; "…" ends a text early."""
    if isinstance(shown, dict):
        return isinstance(actual, dict) and all(key in actual and fits(shown[key], actual[key]) for key in shown)
    if isinstance(shown, list):
        return (
            isinstance(actual, list)
            and bool(shown) == bool(actual)
            and all(any(fits(one, other) for other in actual) for one in shown)
        )
    if isinstance(shown, str) and shown.endswith("…"):
        return isinstance(actual, str) and actual.startswith(shown[:-1])
    return bool(shown == actual)


def saved_files(page: Path) -> list[tuple[str, str]]:
    return re.findall(r"^Save this as `([^`]+)`:\n\n```\w+\n(.*?)^```$", page.read_text(), re.M | re.S)


@pytest.mark.timeout(900)
@pytest.mark.parametrize("page", [PROJECT / "README.md", PROJECT / "docs" / "tutorial.md"], ids=name_of)
def test_every_command_runs(page: Path, live_app: LiveApp, tmp_path: Path) -> None:
    reader = Reader(live_app, tmp_path)
    for name, text in saved_files(page):
        reader.write(name, text)
    found = parts(page)
    assert sum(part.kind == "sh" for part in found) >= 5
    assert sum(part.text in BY_HAND for part in found) == 1
    for part, following in zip(found, [*found[1:], None], strict=True):
        if part.text in BY_HAND:
            decide_items(live_app.url, live_app.users["reviewer"], DECIDED)
        if part.kind == "sh":
            shown = following.text if following is not None and following.kind == "json" else None
            reader.follow(part, shown)


def test_what_is_not_run_here_is_said_in_the_text() -> None:
    texts = [part.text for name in ("README.md", "docs/tutorial.md") for part in parts(PROJECT / name)]
    for command in ELSEWHERE:
        assert f"{command}\n" in texts
    for command in SERVING:
        assert any(command in text for text in texts)
