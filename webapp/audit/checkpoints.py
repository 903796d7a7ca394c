"""Sign the log's size and root, and never two logs that contradict each other."""

from __future__ import annotations

import datetime as dt

from django.conf import settings
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from webapp.audit.errors import CheckpointRefused, LogDamaged, NoteError
from webapp.audit.keys import load_key, recall, remember
from webapp.audit.merkle import EMPTY_ROOT, ProofError, consistency_proof, root_at, verify_consistency
from webapp.audit.models import AuditCheckpoint
from webapp.audit.notes import Checkpoint, VerifierKey, open_checkpoint, sign_note
from webapp.audit.sequencer import lock_log, log_size, read_node

MAX_AGE = dt.timedelta(seconds=60)
MAX_LEAVES = 1000


def newest_checkpoint() -> AuditCheckpoint | None:
    return AuditCheckpoint.objects.order_by("-size").first()


def checkpoint_due() -> bool:
    """Return whether unsigned leaves are many enough or old enough."""
    newest = newest_checkpoint()
    unsigned = log_size() - (newest.size if newest else 0)
    if unsigned <= 0 or newest is None:
        return unsigned > 0
    return unsigned >= MAX_LEAVES or timezone.now() - newest.ts >= MAX_AGE


@transaction.atomic(durable=True)
def make_checkpoint() -> AuditCheckpoint | None:
    """Sign the log as it stands and return the checkpoint; None while the log is empty, the newest if it covers all.

    The leaves are committed before this begins, so the note may reach the disk before the row does. Raises
    CheckpointRefused when the log contradicts a checkpoint that was signed before, KeyUnusable, LogDamaged.
    """
    lock_log(wait=True)
    newest = newest_checkpoint()
    note = recall()
    size = log_size()
    if size == 0 and newest is None and note is None:
        return None  # a log without leaves says nothing worth a signature
    private = load_key(create=newest is None and note is None)
    key = VerifierKey.of(settings.AUDIT_ORIGIN, private)
    root = root_at(size, read_node) if size else EMPTY_ROOT
    for earlier in _earlier(newest, note, key):
        _require_extension(earlier, size, root)
    if newest is not None and newest.size == size:
        return newest
    signed = sign_note(Checkpoint(key.name, size, root).text(), name=key.name, private=private)
    remember(signed)
    return AuditCheckpoint.objects.create(size=size, root=root, note=signed, ts=timezone.now())


def _earlier(newest: AuditCheckpoint | None, note: str | None, key: VerifierKey) -> list[Checkpoint]:
    """Return the newest checkpoints of the table and of the file beside the key."""
    try:
        notes = [text for text in (newest and newest.note, note) if text]
        return [open_checkpoint(text, key) for text in notes]
    except NoteError as error:
        raise CheckpointRefused(
            _(
                "nothing is signed: the newest known checkpoint is not one of this key and log (%(why)s). Restore the "
                "audit key and its .checkpoint file that belong to this database"
            )
            % {"why": error}
        ) from None


def _require_extension(earlier: Checkpoint, size: int, root: bytes) -> None:
    if earlier.size > size:
        raise CheckpointRefused(
            _(
                "nothing is signed: a checkpoint of %(signed)s events was signed before, and this log has %(size)s. "
                "The database was probably restored from an older backup; restore one that holds them all"
            )
            % {"signed": earlier.size, "size": size}
        )
    try:
        proof = consistency_proof(earlier.size, size, read_node)
        verify_consistency(old=earlier.size, new=size, old_root=earlier.root, new_root=root, path=proof)
    except (ProofError, LogDamaged):
        raise CheckpointRefused(
            _(
                "nothing is signed: the log does not extend the checkpoint of %(signed)s events that was signed "
                "before. It was changed, or went on from an older backup; manage.py audit verify says more"
            )
            % {"signed": earlier.size}
        ) from None
