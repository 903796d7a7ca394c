"""What is signed, in which form, and what the signer refuses."""

from __future__ import annotations

import base64
import stat
import threading
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from django.db import connections

from tests.audit.conftest import record, tamper
from webapp.audit import checkpoints
from webapp.audit.checkpoints import checkpoint_due, make_checkpoint
from webapp.audit.errors import CheckpointRefused, KeyUnusable, NoteError
from webapp.audit.keys import load_key, memory_path, verifier_key
from webapp.audit.models import AuditCheckpoint
from webapp.audit.notes import Checkpoint, VerifierKey, open_checkpoint, open_note, sign_note
from webapp.audit.sequencer import log_size, requeue_missing, sequence_log
from webapp.audit.tasks import sequence

# The example of https://c2sp.org/signed-note (the Go module golang.org/x/mod/sumdb/note has the same).
C2SP_VKEY = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
C2SP_TEXT = "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n"
C2SP_SIGNATURE = "x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM="


def signed_log(count: int = 5) -> AuditCheckpoint:
    record(count)
    sequence_log(wait=True)
    checkpoint = make_checkpoint()
    assert checkpoint is not None
    return checkpoint


def test_the_signed_note_of_the_specification_verifies() -> None:
    note = f"{C2SP_TEXT}\n— PeterNeumann {C2SP_SIGNATURE}\n"
    key = VerifierKey.parse(C2SP_VKEY)
    assert open_note(note, key) == C2SP_TEXT
    assert str(key) == C2SP_VKEY
    with pytest.raises(NoteError):
        open_note(note.replace("answer", "question"), key)


def test_signatures_of_other_keys_are_ignored_and_the_own_is_required() -> None:
    mine, other = Ed25519PrivateKey.generate(), Ed25519PrivateKey.generate()
    note = sign_note("text\n", name="log", private=other)
    key = VerifierKey.of("log", mine)
    with pytest.raises(NoteError, match="not signed by"):
        open_note(note, key)
    both = note + sign_note("text\n", name="log", private=mine).rpartition("\n\n")[2]
    assert open_note(both, key) == "text\n"


@pytest.mark.parametrize(
    "text", ["log\n-1\nAA==\n", "log\n01\nAA==\n", "log\n1\n", "log\n1\nAA==\n", "\n1\nAA==\n", "log\n1\n!\n"]
)
def test_what_is_no_checkpoint_is_refused(text: str) -> None:
    private = Ed25519PrivateKey.generate()
    with pytest.raises(NoteError):
        open_checkpoint(sign_note(text, name="log", private=private), VerifierKey.of("log", private))


@pytest.mark.django_db
def test_a_checkpoint_states_origin_size_and_root_and_verifies_with_the_public_key() -> None:
    checkpoint = signed_log()
    text, _, signature = checkpoint.note.partition("\n\n")
    assert text.split("\n") == ["countersign.local/audit", "5", base64.b64encode(checkpoint.root).decode()]
    raw = base64.b64decode(signature.split(" ")[2])
    key = VerifierKey.parse(str(verifier_key()))
    Ed25519PublicKey.from_public_bytes(key.public).verify(raw[4:], f"{text}\n".encode())
    assert memory_path().read_text() == checkpoint.note


@pytest.mark.django_db
def test_an_empty_log_is_not_signed_and_makes_no_key(audit_key: Path) -> None:
    assert make_checkpoint() is None
    assert not audit_key.exists()


@pytest.mark.django_db
def test_a_log_that_did_not_grow_keeps_its_checkpoint() -> None:
    assert signed_log() == make_checkpoint()
    assert AuditCheckpoint.objects.count() == 1


@pytest.mark.django_db
def test_each_checkpoint_extends_the_one_before() -> None:
    sizes = [signed_log(count).size for count in (1, 1, 2, 7, 30)]
    assert sizes == [1, 2, 4, 11, 41]


@pytest.mark.django_db
def test_a_restored_backup_is_not_signed() -> None:
    signed_log(6)
    tamper("TRUNCATE audit_auditevent, audit_auditleaf, audit_auditnode, audit_auditcheckpoint, audit_auditpending")
    record(4)
    sequence_log(wait=True)
    with pytest.raises(CheckpointRefused, match="older backup"):
        make_checkpoint()
    # Growing past the old size does not make it the same log.
    record(4)
    sequence_log(wait=True)
    with pytest.raises(CheckpointRefused, match="does not extend"):
        make_checkpoint()
    assert not AuditCheckpoint.objects.exists()


@pytest.mark.django_db
def test_an_emptied_database_is_not_signed() -> None:
    signed_log()
    tamper("TRUNCATE audit_auditevent, audit_auditleaf, audit_auditnode, audit_auditcheckpoint, audit_auditpending")
    with pytest.raises(CheckpointRefused, match="5 events was signed before, and this log has 0"):
        make_checkpoint()


@pytest.mark.django_db
def test_a_rewritten_log_is_not_signed() -> None:
    signed_log()
    memory_path().unlink()  # the table's own checkpoint is enough
    tamper("UPDATE audit_auditevent SET envelope = envelope || ' '::bytea")
    tamper("TRUNCATE audit_auditleaf, audit_auditnode")
    requeue_missing()
    record()
    sequence_log(wait=True)
    with pytest.raises(CheckpointRefused, match="does not extend"):
        make_checkpoint()


@pytest.mark.django_db
def test_a_foreign_checkpoint_file_is_refused() -> None:
    signed_log()
    memory_path().write_text("no note")
    with pytest.raises(CheckpointRefused, match="not one of this key"):
        make_checkpoint()


@pytest.mark.django_db
def test_a_lost_key_is_not_replaced_by_another(audit_key: Path) -> None:
    signed_log()
    audit_key.unlink()
    record()
    sequence_log(wait=True)
    with pytest.raises(KeyUnusable, match="restore it"):
        make_checkpoint()
    assert not audit_key.exists()


def test_the_key_file_is_private_and_a_loose_one_is_refused(audit_key: Path) -> None:
    load_key(create=True)
    assert stat.S_IMODE(audit_key.stat().st_mode) == 0o600
    audit_key.chmod(0o640)
    with pytest.raises(KeyUnusable, match="chmod 600"):
        load_key()


def test_processes_that_start_together_agree_on_one_key(audit_key: Path) -> None:
    keys: list[bytes] = []
    threads = [
        threading.Thread(target=lambda: keys.append(load_key(create=True).private_bytes_raw())) for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(keys) == 8
    assert len(set(keys)) == 1
    assert [path.name for path in audit_key.parent.iterdir()] == ["audit.pem"]


@pytest.mark.django_db
def test_a_checkpoint_is_due_by_age_or_by_leaves(monkeypatch: pytest.MonkeyPatch) -> None:
    assert not checkpoint_due()
    signed_log()
    record(3)
    sequence_log(wait=True)
    assert not checkpoint_due()
    monkeypatch.setattr(checkpoints, "MAX_LEAVES", 3)
    assert checkpoint_due()
    monkeypatch.undo()
    monkeypatch.setattr(checkpoints, "MAX_AGE", checkpoints.MAX_AGE * 0)
    assert checkpoint_due()


@pytest.mark.django_db(transaction=True)
def test_the_task_sequences_and_signs_and_may_run_twice() -> None:
    record(4)
    sequence()
    sequence()
    assert log_size() == 4
    assert AuditCheckpoint.objects.get().size == 4
    connections.close_all()


@pytest.mark.django_db
def test_a_refused_checkpoint_is_an_error_in_the_log_and_events_go_on(caplog: pytest.LogCaptureFixture) -> None:
    signed_log(6)
    tamper("TRUNCATE audit_auditevent, audit_auditleaf, audit_auditnode, audit_auditcheckpoint, audit_auditpending")
    record(2)
    sequence()
    assert log_size() == 2
    assert "older backup" in caplog.text


def test_a_checkpoint_text_has_three_lines() -> None:
    assert Checkpoint("log", 0, b"\0" * 32).text() == f"log\n0\n{base64.b64encode(bytes(32)).decode()}\n"
