"""The guard model's files missing or damaged: the fail mode decides until they are back; nothing is restarted."""

from __future__ import annotations

import os
import shutil
import signal
from pathlib import Path
from typing import Any

import pytest

from tests.faults.workers import Worker, running_worker, use_policy
from tests.interception.conftest import ApiClient
from webapp.interception.models import Check
from workers.model import DEFAULT_FOLDER

pytestmark = [pytest.mark.faults, pytest.mark.timeout(600)]
VERDICTS = {"open": "allow", "hold": "hold", "block": "block"}
RULES = """
name: {mode}
deadline_ms: 60000
rules:
  - id: moderation
    detector: moderation
    categories: {{"*": {{block: 0.99}}}}
    on_error: {mode}
"""


def ask(api: ApiClient, mode: str) -> dict[str, Any]:
    return api.check("Your parcel is on its way.", policy=mode)


def assert_the_fail_mode_decides(api: ApiClient) -> None:
    for mode, verdict in VERDICTS.items():
        answer = ask(api, mode)
        assert (answer["verdict"], answer["unscanned"]) == (
            verdict,
            [{"rule": "moderation", "reason": "ModelUnavailable"}],
        )
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
    with running_worker(own_broker, "gpu", COUNTERSIGN_GUARD_MODEL=str(folder)) as worker:
        assert_the_fail_mode_decides(api)
        shutil.copytree(DEFAULT_FOLDER, folder)
        assert_scanned_soon(api, worker)
        scramble(folder / "heads.safetensors")
        # A model that is loaded needs its files no more.
        assert ask(api, "block")["verdict"] == "allow"
        os.kill(worker.pid, signal.SIGKILL)
        worker.wait_alive()
        assert_the_fail_mode_decides(api)
        shutil.copytree(DEFAULT_FOLDER, folder, dirs_exist_ok=True)
        assert_scanned_soon(api, worker)
