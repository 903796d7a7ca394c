"""What can go wrong with datasets; every message is a sentence, says what to do and quotes no text of a check.

DatasetError
├── NothingDecided   no decided item fits the filters
├── VersionChanged   stored rows do not give the version's digest
└── ExportFailed     the files could not be written
"""

from __future__ import annotations

from webapp.sentences import SaidError


class DatasetError(SaidError):
    """Something about a dataset that its user can act on."""


class NothingDecided(DatasetError):
    """No decided item fits the filters."""


class VersionChanged(DatasetError):
    """The stored rows of a version do not give its digest."""


class ExportFailed(DatasetError):
    """The files of an export could not be written."""
