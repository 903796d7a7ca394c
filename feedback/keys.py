"""Keyed hashes: names for people, conversations and texts that say nothing without the installation's secret."""

from __future__ import annotations

import hashlib
import hmac
import uuid

from django.conf import settings

#: Bytes of a group key; 128 bits are far from any collision.
KEY_BYTES = 16


def project_key(project_id: uuid.UUID, use: str) -> bytes:
    """Return the secret of one project for one use."""
    return hmac.digest(settings.SECRET_KEY.encode(), f"feedback:{use}:{project_id}".encode(), "sha256")


def keyed(key: bytes, *parts: str) -> bytes:
    """Return KEY_BYTES of an HMAC-SHA256 over `parts`, each with its length, so that no two lists of parts collide."""
    mac = hmac.new(key, digestmod=hashlib.sha256)
    for part in parts:
        data = part.encode()
        mac.update(len(data).to_bytes(8, "big") + data)
    return mac.digest()[:KEY_BYTES]


def annotator_ref(key: bytes, user_id: uuid.UUID) -> str:
    """Return the pseudonym of a reviewer: stable within a project, different in every other."""
    return f"rv_{keyed(key, str(user_id)).hex()[:16]}"
