"""Which items fall into a sample. A draw can be repeated, but not guessed without the installation's secret."""

from __future__ import annotations

import hashlib
import hmac
import uuid

from django.conf import settings

BLIND, OVERLAP, GOLDEN, QA = "blind", "overlap", "golden", "qa"


def share_of(item_id: uuid.UUID, purpose: str) -> float:
    """Return the point in [0, 1) that an item has for a purpose: always the same one, evenly spread over items."""
    digest = hmac.digest(settings.SECRET_KEY.encode(), f"review:{purpose}:{item_id}".encode(), hashlib.sha256)
    return (int.from_bytes(digest[:8]) >> 11) / 2**53


def is_drawn(item_id: uuid.UUID, purpose: str, rate: float) -> bool:
    """Whether an item is in the sample of `rate`; one that is drawn stays drawn at every higher rate."""
    return share_of(item_id, purpose) < rate
