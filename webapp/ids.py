"""Identifiers: UUIDv7, so that rows sort by time and index pages fill in order."""

from __future__ import annotations

import datetime as dt
import uuid

import uuid_utils.compat


def uuid7() -> uuid.UUID:
    return uuid_utils.compat.uuid7()


def earlier(key: uuid.UUID, *, by: dt.timedelta) -> uuid.UUID:
    """Return the UUIDv7 that `key` would be if it had been made so much earlier; all but its time stays."""
    return uuid.UUID(int=key.int - (by // dt.timedelta(milliseconds=1) << 80))


def public_id(prefix: str, key: uuid.UUID) -> str:
    """Return the form that the API shows, as `chk_<32 hex digits>`."""
    return f"{prefix}_{key.hex}"


def parse_public_id(prefix: str, text: str) -> uuid.UUID | None:
    """Return the key of a public id, None when `text` is not one."""
    head, _, digits = text.partition("_")
    if head != prefix or len(digits) != 32:
        return None
    try:
        return uuid.UUID(hex=digits)
    except ValueError:
        return None
