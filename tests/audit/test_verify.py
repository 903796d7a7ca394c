"""`audit verify` is quiet about a true log and says what is wrong with any other."""

from __future__ import annotations

import json
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import call_command
from django.db import connection

from tests.audit.conftest import record, tamper, tamper_envelope
from webapp.audit import sequencer
from webapp.audit.checkpoints import make_checkpoint
from webapp.audit.models import AuditCheckpoint, AuditEvent, AuditLeaf, AuditNode
from webapp.audit.sequencer import sequence_log
from webapp.audit.verification import Result, verify_log

pytestmark = pytest.mark.django_db


@pytest.fixture
def log() -> list[AuditEvent]:
    """Eight signed events, then three that are not signed yet."""
    events = record(8)
    sequence_log(wait=True)
    make_checkpoint()
    events += record(3)
    sequence_log(wait=True)
    return events


def wheres(result: Result) -> list[str]:
    return [problem.where for problem in result.problems]


def test_a_true_log_is_intact(log: list[AuditEvent]) -> None:
    result = verify_log()
    assert result.problems == []
    assert (result.events, result.nodes, result.checkpoints, result.signed) == (11, 8, 1, 8)


def test_an_empty_log_is_intact() -> None:
    assert verify_log().ok


def test_waiting_events_are_sequenced_first(log: list[AuditEvent]) -> None:
    record(2)
    assert verify_log().events == 13


def test_a_changed_envelope_is_found(log: list[AuditEvent]) -> None:
    tamper_envelope(log[5])
    result = verify_log()
    assert "leaf 5" in wheres(result)
    assert "checkpoint 8" in wheres(result)
    assert str(log[5].id) in result.problems[0].what


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE audit_auditevent SET type = 'key.revoked' WHERE id = %s",
        "UPDATE audit_auditevent SET ts = ts - interval '1 day' WHERE id = %s",
        "UPDATE audit_auditevent SET project_id = gen_random_uuid() WHERE id = %s",
    ],
)
def test_a_changed_column_is_found(log: list[AuditEvent], change: str) -> None:
    tamper(change, log[9].id)
    assert wheres(verify_log()) == ["leaf 9"]


def test_a_deleted_event_is_found(log: list[AuditEvent]) -> None:
    tamper("DELETE FROM audit_auditevent WHERE id = %s", log[2].id)
    result = verify_log()
    assert wheres(result) == ["leaf 2"]
    assert "deleted" in result.problems[0].what


def test_a_deleted_event_and_leaf_are_found(log: list[AuditEvent]) -> None:
    tamper("DELETE FROM audit_auditevent WHERE id = %s", log[2].id)
    tamper("DELETE FROM audit_auditleaf WHERE index = 2")
    assert "leaf 2" in wheres(verify_log())


def test_an_event_that_vanished_before_it_was_sequenced_is_found(log: list[AuditEvent]) -> None:
    (event,) = record()
    tamper("DELETE FROM audit_auditevent WHERE id = %s", event.id)
    assert f"event {event.id}" in wheres(verify_log())


def test_a_removed_end_is_found(log: list[AuditEvent]) -> None:
    tamper("DELETE FROM audit_auditevent WHERE id IN (SELECT event_id FROM audit_auditleaf WHERE index >= 6)")
    tamper("DELETE FROM audit_auditleaf WHERE index >= 6")
    tamper("DELETE FROM audit_auditnode WHERE (index + 1) << level > 6")
    assert {"checkpoint 8", "checkpoint file"} <= set(wheres(verify_log()))


def test_reordered_leaves_are_found(log: list[AuditEvent]) -> None:
    tamper("UPDATE audit_auditleaf SET index = -1 WHERE index = 3")
    tamper("UPDATE audit_auditleaf SET index = 3 WHERE index = 4")
    tamper("UPDATE audit_auditleaf SET index = 4 WHERE index = -1")
    assert {"node 1 of level 1", "node 2 of level 1", "checkpoint 8"} <= set(wheres(verify_log()))


def test_a_log_rebuilt_around_a_changed_event_is_found(log: list[AuditEvent]) -> None:
    tamper_envelope(log[5])
    tamper("TRUNCATE audit_auditleaf, audit_auditnode")
    sequencer.requeue_missing()
    sequence_log(wait=True)
    assert wheres(verify_log()) == ["checkpoint 8", "checkpoint 8", "checkpoint file"]


def test_a_changed_node_is_found(log: list[AuditEvent]) -> None:
    tamper("UPDATE audit_auditnode SET sha256 = '\\x00' WHERE level = 2 AND index = 0")
    assert wheres(verify_log()) == ["node 0 of level 2"]


def test_an_added_node_is_found(log: list[AuditEvent]) -> None:
    AuditNode.objects.create(level=4, index=0, sha256=b"\0" * 32)
    assert wheres(verify_log()) == ["node 0 of level 4"]


def test_a_forged_checkpoint_is_found(log: list[AuditEvent]) -> None:
    tamper("UPDATE audit_auditcheckpoint SET note = replace(note, E'\\n8\\n', E'\\n7\\n')")
    result = verify_log()
    assert wheres(result) == ["checkpoint 8"]
    assert "signature" in result.problems[0].what


def test_a_checkpoint_of_another_key_is_found(log: list[AuditEvent], audit_key: Path) -> None:
    for path in audit_key.parent.iterdir():
        path.rename(path.with_name(f"old-{path.name}"))
    foreign = AuditCheckpoint.objects.get()
    tamper("DELETE FROM audit_auditcheckpoint")
    make_checkpoint()
    AuditCheckpoint.objects.create(size=foreign.size, root=foreign.root, note=foreign.note, ts=foreign.ts)
    result = verify_log()
    assert wheres(result) == ["checkpoint 8"]
    assert "not signed by the key" in result.problems[0].what


def test_an_envelope_that_is_not_canonical_is_found() -> None:
    (event,) = record()
    tamper("UPDATE audit_auditevent SET envelope = envelope || ' '::bytea WHERE id = %s", event.id)
    sequence_log(wait=True)
    result = verify_log()
    assert wheres(result) == ["leaf 0"]
    assert "canonical" in result.problems[0].what


def test_a_missing_key_is_said(log: list[AuditEvent], audit_key: Path) -> None:
    audit_key.unlink()
    assert wheres(verify_log()) == ["key"]


def test_the_command_prints_counts_and_exits_with_one_on_a_problem(log: list[AuditEvent]) -> None:
    out = StringIO()
    call_command("audit", "verify", stdout=out)
    assert "11 events, 8 nodes, 1 checkpoints, the first 8 events signed" in out.getvalue()
    tamper("DELETE FROM audit_auditevent WHERE id = %s", log[2].id)
    out = StringIO()
    with pytest.raises(SystemExit) as stopped:
        call_command("audit", "verify", "--json", stdout=out)
    assert stopped.value.code == 1
    answer = json.loads(out.getvalue())
    assert not answer["ok"]
    assert answer["problems"][0]["where"] == "leaf 2"


def test_verification_takes_the_same_queries_however_long_the_log(log: list[AuditEvent]) -> None:
    counts = []
    for _ in range(2):
        record(50)
        sequence_log(wait=True)
        before = len(connection.queries_log)
        connection.force_debug_cursor = True
        verify_log()
        counts.append(len(connection.queries_log) - before)
        connection.force_debug_cursor = False
    assert counts[0] == counts[1]
    assert AuditLeaf.objects.count() == 111
