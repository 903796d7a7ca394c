"""`manage.py audit report` writes reports, and says what is wrong."""

from __future__ import annotations

import hashlib
import io
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from tests.audit.activity import COUNTS
from tests.audit.conftest import Rows
from tests.factories import Cast

pytestmark = pytest.mark.django_db


def command(out: Path, *more: str) -> str:
    text = io.StringIO()
    options = ["--project", "acme", "--from", "2026-10-01", "--to", "2026-11-01", "--format", "csv"]
    call_command("audit", "report", *options, "--out", str(out), *more, stdout=text, stderr=text)
    return text.getvalue()


def test_the_command_writes_the_file_and_prints_its_digest(cast: Cast, tmp_path: Path) -> None:
    out = tmp_path / "report.csv"
    printed = command(out)
    assert hashlib.sha256(out.read_bytes()).hexdigest() in printed
    assert "124 intercepted" in printed
    assert [path.name for path in tmp_path.glob("*.csv*")] == ["report.csv"]


def test_the_command_replaces_nothing_unless_forced(cast: Cast, tmp_path: Path) -> None:
    out = tmp_path / "report.csv"
    out.write_text("mine")
    with pytest.raises(CommandError, match="--force"):
        command(out)
    assert out.read_text() == "mine"
    command(out, "--force")
    assert out.read_text().startswith("index,")


def test_the_command_shouts_about_a_mismatch(cast: Cast, rows: Rows, tmp_path: Path) -> None:
    rows({**COUNTS, "allow": 0, "intercepted": 31})
    assert "MISMATCH: allowed: 93 by the log, 0 by the database" in command(tmp_path / "r.csv")


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--project", "nowhere"], "no project"),
        (["--from", "2026-11-02"], "ends before it begins"),
        (["--from", "yesterday"], "is not a date"),
        (["--checkpoint", "7777"], "no checkpoint of 7777"),
        (["--out", "/nowhere/report.csv"], "/nowhere"),
    ],
)
def test_the_command_says_what_is_wrong(cast: Cast, tmp_path: Path, options: list[str], said: str) -> None:
    with pytest.raises(CommandError, match=said):
        command(tmp_path / "r.csv", *options)
    assert list(tmp_path.glob("*r.csv*")) == []
