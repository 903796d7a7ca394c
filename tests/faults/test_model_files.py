"""The guard model's files missing or damaged: their worker takes no checks until they are back; it is not restarted."""

from __future__ import annotations

import os
import shutil
import signal
from pathlib import Path
from typing import Any

import pytest

from tests.faults.workers import Worker, running_worker, starting_worker, use_policy
from tests.interception.conftest import ApiClient
from webapp.interception.models import Check
from workers.model import DEFAULT_FOLDER

pytestmark = [pytest.mark.faults, pytest.mark.timeout(600)]
VERDICTS = {"open": "allow", "hold": "hold", "block": "block"}
RULES = """
name: {mode}
deadline_ms: 10000
rules:
  - id: moderation
    detector: moderation
    categories: {{"*": {{block: 0.99}}}}
    on_error: {mode}
"""


def ask(api: ApiClient, mode: str) -> dict[str, Any]:
    return api.check("Your parcel is on its way.", policy=mode)


def assert_the_fail_mode_decides(api: ApiClient, worker: Worker) -> None:
    """Expect that nobody serves the queue, soon, and what that means for the verdict."""
    missing = [{"rule": "moderation", "reason": "no worker"}]
    worker.supervisor.wait_until(lambda: ask(api, "block")["unscanned"] == missing, timeout=90, what="no worker")
    for mode, verdict in VERDICTS.items():
        answer = ask(api, mode)
        assert (answer["verdict"], answer["unscanned"]) == (verdict, missing)
    check = Check.objects.latest("created_at")
    assert (check.scores, check.model_version) == (None, "")


def assert_scanned_soon(api: ApiClient, worker: Worker) -> None:
    """Expect whole checks from the very same worker; it tries the files again every few seconds."""
    pid = worker.pid
    worker.supervisor.wait_until(lambda: ask(api, "block")["unscanned"] == [], timeout=60, what="a scanned check")
    assert {mode: ask(api, mode)["verdict"] for mode in VERDICTS} == dict.fromkeys(VERDICTS, "allow")
    assert Check.objects.latest("created_at").model_version.startswith(f"{DEFAULT_FOLDER.name}@")
    assert worker.pid == pid


def scramble(path: Path) -> None:
    path.write_bytes(os.urandom(path.stat().st_size))


def test_missing_and_damaged_files_are_survived_and_repaired_in_place(
    api: ApiClient, own_broker: str, tmp_path: Path
) -> None:
    for mode in VERDICTS:
        use_policy(RULES.format(mode=mode))
    folder = tmp_path / "heads"
    with starting_worker(own_broker, "gpu", COUNTERSIGN_GUARD_MODEL=str(folder)) as worker:
        assert_the_fail_mode_decides(api, worker)
        shutil.copytree(DEFAULT_FOLDER, folder)
        assert_scanned_soon(api, worker)
        scramble(folder / "heads.safetensors")
        # A model that is loaded needs its files no more.
        assert ask(api, "block")["verdict"] == "allow"
        os.kill(worker.pid, signal.SIGKILL)
        assert_the_fail_mode_decides(api, worker)
        shutil.copytree(DEFAULT_FOLDER, folder, dirs_exist_ok=True)
        assert_scanned_soon(api, worker)


def test_a_worker_without_its_model_takes_no_checks_from_one_that_has_it(
    api: ApiClient, own_broker: str, tmp_path: Path
) -> None:
    use_policy(RULES.format(mode="open"))
    with starting_worker(own_broker, "gpu", COUNTERSIGN_GUARD_MODEL=str(tmp_path / "none")) as broken:
        broken.supervisor.wait_until(lambda: "takes no checks" in broken.log, timeout=60, what="the missing model")
        assert "Copy the folder" in broken.log or str(tmp_path) in broken.log
        with running_worker(own_broker, "gpu"):
            assert [ask(api, "open")["unscanned"] for _ in range(30)] == [[]] * 30
