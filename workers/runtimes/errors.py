"""What can go wrong with the guard model.

ModelError
└── ModelUnavailable    cannot be loaded: missing, changed or damaged files, wrong categories
"""

from __future__ import annotations


class ModelError(Exception):
    """The root of what this package raises."""


class ModelUnavailable(ModelError):
    """The guard model cannot be loaded. The message says what is wrong and what to do, and quotes no text."""
