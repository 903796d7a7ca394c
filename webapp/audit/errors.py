"""What can go wrong with the log.

AuditError
├── EventRefused        an event that must not be written
├── LogDamaged          what is stored contradicts itself; `manage.py audit verify` says where
├── CheckpointRefused   signing would contradict a checkpoint that was signed before
├── KeyUnusable         the signing key is missing, damaged or open to others
└── NoteError           a signed note is malformed or its signature is wrong
"""

from __future__ import annotations


class AuditError(Exception):
    """Root of this package's errors; messages name indexes and ids, never contents."""


class EventRefused(AuditError):
    pass


class LogDamaged(AuditError):
    pass


class CheckpointRefused(AuditError):
    pass


class KeyUnusable(AuditError):
    pass


class NoteError(AuditError):
    pass
