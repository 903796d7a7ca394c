"""Reports say what the log says, in every format, and the same again for the same period and checkpoint."""

from __future__ import annotations

import csv
import datetime as dt
import hashlib
import io
import json
from pathlib import Path

import pypdf
import pytest
from django.db import connection, transaction

from tests.audit.activity import COUNTS, SINCE, UNTIL, accept, conclude, make_month
from tests.audit.conftest import Rows, tamper
from tests.factories import Cast, make_cast
from webapp.accounts.models import Role
from webapp.accounts.services import SYSTEM, user_actor
from webapp.audit import counters
from webapp.audit.errors import LogDamaged
from webapp.audit.log import EventObject, EventOutcome, record_event
from webapp.audit.merkle import leaf_hash
from webapp.audit.models import AuditCheckpoint, AuditEvent
from webapp.audit.notes import VerifierKey, open_checkpoint
from webapp.audit.report.document import Report, build_report
from webapp.audit.report.formats import CSV_COLUMNS, safe_cell
from webapp.audit.report.periods import Period
from webapp.audit.report.profiles import PROFILES
from webapp.audit.selectors import NothingSigned, checkpoint_of, fresh_checkpoint
from webapp.audit.services import create_report
from webapp.ids import uuid7

pytestmark = pytest.mark.django_db
OCTOBER = Period(SINCE, UNTIL)


def report(cast: Cast, period: Period = OCTOBER) -> Report:
    return build_report(
        project=cast.project, profile=PROFILES["activity"], period=period, checkpoint=fresh_checkpoint()
    )


def write(cast: Cast, path: Path, format: str, checkpoint: AuditCheckpoint | None = None) -> bytes:
    create_report(
        project=cast.project,
        profile=PROFILES["activity"],
        period=OCTOBER,
        format=format,
        actor=SYSTEM,
        path=path,
        checkpoint=checkpoint,
    )
    return path.read_bytes()


def table(found: Report, id: str) -> list[list[str | int]]:
    return next(section.rows for section in found.sections if section.id == id)


def test_the_figures_reconcile(cast: Cast) -> None:
    found = report(cast)
    assert found.reconciliation.events == COUNTS
    assert found.reconciliation.problems == []
    assert found.reconciliation.equation == (
        "124 intercepted = 93 allowed + 17 redacted + 9 held + 4 blocked + 0 errors + 1 still open"
    )
    assert found.unsigned == 0


def test_a_check_without_its_event_is_a_mismatch(cast: Cast, rows: Rows) -> None:
    rows({**COUNTS, "block": 5, "intercepted": 125})
    assert report(cast).reconciliation.problems == [
        "intercepted: 124 by the log, 125 by the database",
        "blocked: 4 by the log, 5 by the database",
    ]


def test_an_answered_check_that_is_logged_twice_is_a_mismatch(cast: Cast) -> None:
    conclude(cast.project, "allow", at=SINCE)
    assert "allowed: 94 by the log, 93 by the database" in report(cast).reconciliation.problems


def test_rows_that_do_not_add_up_are_a_mismatch(cast: Cast, rows: Rows) -> None:
    rows({**COUNTS, "intercepted": 130})
    assert "the database has 130 checks, but the parts add up to 124" in report(cast).reconciliation.problems


def test_an_accepted_check_is_open_until_it_is_concluded(cast: Cast) -> None:
    check = uuid7()
    accept(cast.project, at=SINCE, check_id=check)
    assert report(cast).reconciliation.events["open"] == 2
    conclude(cast.project, "allow", at=SINCE, check_id=check)
    counts = report(cast).reconciliation.events
    assert (counts["open"], counts["allow"]) == (1, 94)


def test_the_real_counter_agrees_with_the_real_events(quick_passwords: None) -> None:
    cast = make_cast()
    found = report(cast, Period(SINCE, UNTIL.replace(year=2099)))
    assert found.reconciliation.rows == dict.fromkeys(counters.KEYS, 0)
    assert found.reconciliation.problems == []
    assert not found.over


def test_the_tables_count_what_was_recorded(cast: Cast) -> None:
    found = report(cast)
    assert table(found, "verdicts") == [["support-bot", 3, "ab" * 8, 93, 17, 9, 4, 123]]
    assert table(found, "unscanned") == [["pii", 3]]
    assert table(found, "findings") == [
        ["moderation", "block", 4],
        ["moderation", "hold", 9],
        ["moderation", "redact", 17],
    ]
    assert table(found, "decisions") == [["allow", 0, 0, 1, 0, 1, 1], ["hold", 3, 0, 2, 3, 8, 0]]
    assert [row[1:4] for row in table(found, "policies")] == [["2026-10-03 00:00:00", "support-bot 3", "ab" * 32]]
    assert len(table(found, "exports")) == 1
    assert ["check.concluded", 123] in table(found, "events")


def test_a_decision_that_was_taken_back_is_no_decision(cast: Cast) -> None:
    before = report(cast)
    for made in (SINCE + dt.timedelta(days=3), SINCE - dt.timedelta(seconds=5)):
        for kind, at in (("recorded", made), ("undone", made + dt.timedelta(seconds=8))):
            with transaction.atomic():
                record_event(
                    type=f"review.decision.{kind}",
                    project_id=cast.project.id,
                    actor=user_actor(cast.reviewer, Role.REVIEWER),
                    object=EventObject("review_item", uuid7()),
                    outcome=EventOutcome(decision="block", prev="allow", override=True, automated=False),
                    reason_codes=[f"decided:{made.isoformat()}"],
                    ts=at,
                )
    found = report(cast)
    assert table(found, "decisions") == table(before, "decisions")
    assert ["decisions taken back before they took effect", 2] in table(found, "review")
    assert found.reconciliation.problems == []


def test_another_project_and_another_time_are_not_in_it(cast: Cast) -> None:
    before = report(cast).events
    conclude(cast.other_project, "block", at=SINCE)
    conclude(cast.project, "block", at=UNTIL)
    assert report(cast).events == before
    assert report(cast).reconciliation.problems == []


def test_events_after_the_checkpoint_are_said_to_be_so(cast: Cast) -> None:
    checkpoint = fresh_checkpoint()
    conclude(cast.project, "block", at=SINCE)
    found = build_report(project=cast.project, profile=PROFILES["activity"], period=OCTOBER, checkpoint=checkpoint)
    assert found.unsigned == 1
    assert table(found, "verdicts")[0][-1] == 123


def test_a_changed_event_makes_no_report(cast: Cast) -> None:
    fresh_checkpoint()
    tamper("UPDATE audit_auditevent SET envelope = envelope || ' '::bytea WHERE type = 'export.created'")
    with pytest.raises(LogDamaged, match="audit verify"):
        report(cast)


@pytest.mark.parametrize("format", ["pdf", "csv", "json"])
def test_the_same_period_and_checkpoint_give_the_same_bytes(cast: Cast, tmp_path: Path, format: str) -> None:
    checkpoint = fresh_checkpoint()
    first = write(cast, tmp_path / "a", format, checkpoint)
    fresh_checkpoint()
    assert write(cast, tmp_path / "b", format, checkpoint_of(checkpoint.size)) == first
    assert write(cast, tmp_path / "c", format) != first or format == "csv"


def test_the_pdf_opens_and_its_numbers_are_those_of_the_log(cast: Cast, tmp_path: Path) -> None:
    reader = pypdf.PdfReader(io.BytesIO(write(cast, tmp_path / "report.pdf", "pdf")))
    text = " ".join(" ".join(page.extract_text() for page in reader.pages).split())
    assert "124 intercepted = 93 allowed + 17 redacted + 9 held + 4 blocked + 0 errors + 1 still open" in text
    assert "The figures agree" in text
    assert "support-bot 3" in text
    assert "93 17 9 4 123" in text
    assert "Acme" in text
    found = json.loads(reader.attachments["report.json"][0])
    assert found["reconciliation"]["agrees"]
    assert found["checkpoint"]["note"] == AuditCheckpoint.objects.get().note


def test_the_pdf_shouts_when_the_figures_disagree(cast: Cast, rows: Rows, tmp_path: Path) -> None:
    rows({**COUNTS, "hold": 10, "intercepted": 125})
    reader = pypdf.PdfReader(io.BytesIO(write(cast, tmp_path / "report.pdf", "pdf")))
    text = " ".join(reader.pages[0].extract_text().split())
    assert "MISMATCH" in text
    assert "held: 9 by the log, 10 by the database" in text


def test_the_csv_has_a_row_per_event_that_can_be_verified(cast: Cast, tmp_path: Path) -> None:
    lines = list(csv.DictReader(io.StringIO(write(cast, tmp_path / "r.csv", "csv").decode(), newline="")))
    assert list(lines[0]) == CSV_COLUMNS
    assert len(lines) == report(cast).events
    assert [int(line["index"]) for line in lines] == sorted(int(line["index"]) for line in lines)
    for line in lines:
        assert leaf_hash(line["envelope"].encode()).hex() == line["leaf_sha256"]
        assert json.loads(line["envelope"])["id"] == line["id"]
    assert sum(line["decision"] == "hold" and line["type"] == "check.concluded" for line in lines) == 9


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1"])
def test_no_cell_is_a_formula(text: str) -> None:
    assert safe_cell(text) == f"'{text}"
    assert safe_cell(None) == ""
    assert safe_cell("a=b") == "a=b"


def test_the_json_has_report_and_events_and_its_note_verifies(cast: Cast, tmp_path: Path) -> None:
    data = json.loads(write(cast, tmp_path / "r.json", "json"))
    assert len(data["events"]) == data["report"]["events"]["count"]
    checkpoint = open_checkpoint(data["report"]["checkpoint"]["note"], VerifierKey.parse(data["report"]["vkey"]))
    assert checkpoint.size == data["report"]["checkpoint"]["size"]
    assert checkpoint.root.hex() == data["report"]["checkpoint"]["root"]


def test_each_report_names_the_one_before(cast: Cast, tmp_path: Path) -> None:
    assert report(cast).prior is None
    first = write(cast, tmp_path / "a", "pdf")
    prior = report(cast).prior
    assert prior is not None
    assert prior.sha256 == hashlib.sha256(first).hexdigest()


def test_making_a_report_is_an_event(cast: Cast, tmp_path: Path) -> None:
    digest = hashlib.sha256(write(cast, tmp_path / "a", "csv")).hexdigest()
    codes = json.loads(bytes(AuditEvent.objects.get(type="report.created").envelope))["reason_codes"]
    assert {f"sha256:{digest}", "format:csv", "profile:activity", "since:2026-10-01", "until:2026-11-01"} <= set(codes)


def test_a_log_without_events_has_no_report(cast: Cast) -> None:
    with pytest.raises(NothingSigned):
        checkpoint_of(12345)


def test_a_report_takes_the_same_queries_however_many_events(cast: Cast) -> None:
    counts = []
    for _ in range(2):
        checkpoint = fresh_checkpoint()
        connection.force_debug_cursor = True
        before = len(connection.queries_log)
        build_report(project=cast.project, profile=PROFILES["activity"], period=OCTOBER, checkpoint=checkpoint)
        counts.append(len(connection.queries_log) - before)
        connection.force_debug_cursor = False
        make_month(cast.project, cast.reviewer)
    assert counts[0] == counts[1] <= 8
