"""What the database and the audit log say of the checks of a run: compared with what clients were told."""

from __future__ import annotations

import json
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import psycopg
from psycopg.rows import dict_row

from tests.faults.load import Asked
from tests.live import LiveApp
from webapp.local.process_table import PROJECT

CHECKS = """
    SELECT replace(check_.id::text, '-', '') AS id, state, verdict, unscanned, scores, model_version, idempotency_key,
           content.output, content.released
    FROM interception_check AS check_ JOIN interception_checkcontent AS content ON content.check_id = check_.id
"""


class Books:
    """Rows and events of an app, read at the moment of the call."""

    def __init__(self, app: LiveApp) -> None:
        self.app = app

    def checks(self) -> dict[str, dict[str, Any]]:
        """Return every stored check by its public id."""
        return {f"chk_{row['id']}": row for row in self.rows(CHECKS)}

    def events(self, kind: str) -> Counter[str]:
        """Return how many audit events of a type each check has, by its public id."""
        rows = self.rows("SELECT envelope FROM audit_auditevent WHERE type = %s", kind)
        envelopes = [json.loads(bytes(row["envelope"])) for row in rows]
        return Counter(f"chk_{envelope['object']['id'].replace('-', '')}" for envelope in envelopes)

    def manage(self, *words: str) -> str:
        """Run a command of manage.py against the app and return what it printed; fail when it fails."""
        env = {**self.app.env, "COUNTERSIGN_LOG_LEVEL": "WARNING"}
        done = subprocess.run(
            [sys.executable, "manage.py", *words], env=env, cwd=PROJECT, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout + done.stderr

    def reconciliation(self, folder: Path, since: str, until: str) -> str:
        """Make a report of a period; return its equation, after checking that rows and events agree in it."""
        printed = self.manage(
            *("audit", "report", "--project", "demo", "--from", since, "--to", until),
            *("--format", "csv", "--out", str(folder / "report.zip")),
        )
        assert "MISMATCH" not in printed, printed
        return printed

    def rows(self, sql: str, *values: str) -> list[dict[str, Any]]:
        """Return what a query answers."""
        with psycopg.connect(self.app.services["database_url"], row_factory=dict_row) as connection:
            return connection.execute(sql.encode(), values or None).fetchall()


def assert_told_the_truth(asked: list[Asked], books: Books) -> None:
    """Compare every answer that a client got with every other one of its check, and with the row."""
    rows = books.checks()
    for one in asked:
        assert len(one.ids) == 1, f"{one.key}: one Idempotency-Key, {len(one.ids)} checks"
        assert len({(told["verdict"], told["output"]) for told in one.told}) == 1, one.key
        row = rows[min(one.ids)]
        told = one.told[0]
        assert (row["state"], row["verdict"], row["released"]) == ("concluded", told["verdict"], told["output"])
        assert (row["idempotency_key"], row["output"]) == (one.key, one.output)


def assert_nothing_passed_unscanned(books: Books) -> None:
    """Expect that what went out was scanned by every rule: all of support-bot's have `on_error: hold`."""
    for key, row in books.checks().items():
        assert row["state"] == "concluded", key
        if row["verdict"] in ("allow", "redact"):
            assert row["unscanned"] == [], key
            assert (row["model_version"], row["scores"] is None) == ("fake", False), key
            assert "@" not in row["released"], key


def assert_each_check_was_concluded_once(books: Books) -> None:
    assert books.events("check.concluded") == Counter(list(books.checks()))
