"""The house: which folders there are, who may import whom, and whose name `guardrails` is."""

from __future__ import annotations

import importlib.util
import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest

from tests.layout import GUARDRAILS_AI, PROJECT

SAY_WHERE = "import importlib.util; print('found', importlib.util.find_spec('guardrails').origin)\n"
#: Each runs a line of Python from its standard input, having been started as the processes of the app are.
ENTRIES = {
    "manage.py": ["manage.py", "shell"],
    "screening workers": ["-m", "celery", "-A", "workers.app", "shell", "--python"],
    "control workers": ["-m", "celery", "-A", "webapp.celery", "shell", "--python"],
}


@pytest.fixture(scope="module")
def contracts() -> list[dict[str, Any]]:
    settings = tomllib.loads((PROJECT / "pyproject.toml").read_text())["tool"]["importlinter"]
    assert set(settings["root_packages"]) == {"webapp", "review", "workers", "feedback", "screening", "policies"}
    found: list[dict[str, Any]] = settings["contracts"]
    return found


def test_rooms_import_downwards_only(contracts: list[dict[str, Any]]) -> None:
    (rooms,) = [contract for contract in contracts if contract["type"] == "layers"]
    assert [set(re.split(r" [|:] ", layer)) for layer in rooms["layers"]] == [
        {"webapp.urls", "webapp.monitoring"},
        {"feedback"},
        {"review"},
        {"webapp.interception"},
        {"policies"},
        {"webapp.audit", "webapp.accounts"},
        {"workers.client"},
        {"screening"},
    ]
    assert "ignore_imports" not in rooms


def test_the_engine_and_the_workers_that_screen_stay_apart(contracts: list[dict[str, Any]]) -> None:
    forbidden = {
        tuple(contract["source_modules"]): set(contract["forbidden_modules"])
        for contract in contracts
        if contract["type"] == "forbidden"
    }
    assert forbidden[("screening",)] >= {"django", "celery", "torch", "transformers", "workers", "webapp"}
    assert forbidden[("workers",)] >= {"django", "webapp", "policies", "review", "feedback"}
    assert all("ignore_imports" not in contract for contract in contracts)


def test_the_folder_guardrails_is_no_package() -> None:
    folder = PROJECT / "guardrails"
    assert [path.name for path in folder.iterdir() if path.suffix in (".py", ".pyi")] == []
    assert not (PROJECT / "guardrails_ai").exists()


def test_guardrails_is_the_library_in_tests() -> None:
    spec = importlib.util.find_spec("guardrails")
    assert spec is not None
    assert spec.origin is not None
    assert Path(spec.origin) == GUARDRAILS_AI


@pytest.mark.parametrize("entry", ENTRIES)
def test_guardrails_is_the_library_in_every_process(entry: str) -> None:
    """The web server's is asked in tests/webapp/test_process_modules.py."""
    done = subprocess.run(
        [sys.executable, *ENTRIES[entry]], input=SAY_WHERE, cwd=PROJECT, capture_output=True, text=True, check=True
    )
    assert f"found {GUARDRAILS_AI}" in done.stdout


def test_guardrails_is_the_library_for_mypy(tmp_path: Path) -> None:
    snippet = tmp_path / "snippet.py"
    snippet.write_text("import guardrails\nreveal_type(guardrails.Guard)\n")
    command = [sys.executable, "-m", "mypy", "--config-file", str(PROJECT / "pyproject.toml"), str(snippet)]
    done = subprocess.run(command, cwd=PROJECT, env=dict(os.environ), capture_output=True, text=True, check=False)
    assert "guardrails.guard.Guard" in done.stdout, done.stdout + done.stderr
    assert done.returncode == 0, done.stdout + done.stderr
