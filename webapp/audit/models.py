"""The append-only log: events, the leaves and nodes of its Merkle tree, checkpoints.

No foreign key leaves this file: events outlive what they speak of. Rows are only ever inserted; triggers
(migration 0002) refuse UPDATE, DELETE and TRUNCATE. `AuditPending` alone is a work list, kept by a trigger too.
"""

from __future__ import annotations

from django.db import models


class AuditEvent(models.Model):
    """An event, written in the transaction of the thing it records."""

    id = models.UUIDField(primary_key=True)
    project_id = models.UUIDField(null=True)
    type = models.CharField(max_length=60)
    ts = models.DateTimeField()
    envelope = models.BinaryField(help_text="RFC 8785 JSON, the bytes that are hashed.")

    class Meta:
        indexes = [models.Index(fields=["project_id", "ts"], name="audit_event_project_ts")]


class AuditPending(models.Model):
    """An event that has no leaf yet: inserted by a trigger on AuditEvent, removed by the sequencer.

    Events commit in another order than their ids, so that "newer than the last leaf" would miss some; and looking for
    events without a leaf would read the whole log every few seconds.
    """

    event_id = models.UUIDField(primary_key=True)


class AuditLeaf(models.Model):
    """The place of an event in the log; indexes are gap-free from 0."""

    index = models.BigIntegerField(primary_key=True)
    event_id = models.UUIDField(unique=True)
    sha256 = models.BinaryField(help_text="RFC 6962 leaf hash: SHA-256(0x00 || envelope).")


class AuditNode(models.Model):
    """The hash of a complete subtree of 2**level leaves, starting at leaf index * 2**level; level 0 is AuditLeaf."""

    pk = models.CompositePrimaryKey("level", "index")
    level = models.PositiveSmallIntegerField()
    index = models.BigIntegerField()
    sha256 = models.BinaryField()


class AuditCheckpoint(models.Model):
    """A signed statement of the log's size and root (C2SP tlog-checkpoint, a signed note)."""

    size = models.BigIntegerField(primary_key=True)
    root = models.BinaryField()
    note = models.TextField()
    ts = models.DateTimeField(help_text="When it was signed, by this machine's clock; not part of what is signed.")
