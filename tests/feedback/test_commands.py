"""`manage.py dataset freeze` and `manage.py export`."""

from __future__ import annotations

import json
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from tests.factories import Cast
from tests.feedback.deciding import a_mixture
from tests.feedback.loading import load


def run(*arguments: str) -> str:
    out = StringIO()
    call_command(*arguments, stdout=out)
    return out.getvalue()


def test_freeze_and_export_give_a_folder_that_loads(cast: Cast, tmp_path: Path) -> None:
    a_mixture(cast)

    frozen = run("dataset", "freeze", "--project", "acme", "--dataset", "first")
    out = tmp_path / "data"
    said = run("export", "--project", "acme", "--dataset", "first", "--format", "trl-preference", "--out", str(out))

    assert "first version 1: 12 rows (train 4, validation 4, test 4)" in frozen
    digest = json.loads((out / "manifest.json").read_text())["digest"]
    assert f"digest {digest}" in frozen
    assert "first version 1 as trl-preference: train 1, validation 1, test 1" in said
    assert "left out: 9 (no preference)" in said
    assert load(out)["train"].num_rows == 1


def test_an_older_version_can_be_named(cast: Cast, home: Path) -> None:
    a_mixture(cast)
    for _ in range(2):
        run("dataset", "freeze", "--project", "acme", "--dataset", "first")

    run("export", "--project", "acme", "--dataset", "first", "--version", "1", "--format", "huggingface")

    assert (home / "exports/acme/first-v1/huggingface/README.md").is_file()


def test_errors_say_what_to_do(cast: Cast) -> None:
    with pytest.raises(CommandError, match=r"no project 'acmee'. Projects: acme, other"):
        run("dataset", "freeze", "--project", "acmee", "--dataset", "first")
    with pytest.raises(CommandError, match="Decide items in review first"):
        run("dataset", "freeze", "--project", "acme", "--dataset", "first")
    with pytest.raises(CommandError, match=r"manage\.py dataset freeze --project acme --dataset first"):
        run("export", "--project", "acme", "--dataset", "first", "--format", "huggingface")
    with pytest.raises(CommandError, match="Datasets: first"):
        run("export", "--project", "acme", "--dataset", "second", "--format", "huggingface")
    with pytest.raises(CommandError, match="invalid choice: 'xml'"):
        run("export", "--project", "acme", "--dataset", "first", "--format", "xml")
