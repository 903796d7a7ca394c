"""The signing key's file, and next to it a copy of the newest checkpoint.

The copy is there for the day the database is restored from a backup: the log would be shorter than what was signed.
"""

from __future__ import annotations

import contextlib
from pathlib import Path

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from django.conf import settings
from django.utils.translation import gettext as _

from webapp.audit.errors import KeyUnusable
from webapp.audit.notes import VerifierKey
from webapp.files import new_file


def key_path() -> Path:
    return Path(settings.AUDIT_KEY_FILE)


def memory_path() -> Path:
    """Return where the newest checkpoint is remembered."""
    return key_path().with_suffix(".checkpoint")


def load_key(*, create: bool = False) -> Ed25519PrivateKey:
    """Return the signing key, made first when `create` is set and there is none; raise KeyUnusable."""
    path = key_path()
    if create and not path.exists():
        _create(path)
    try:
        mode = path.stat().st_mode & 0o777
        pem = path.read_bytes()
    except OSError as error:
        raise KeyUnusable(
            _(
                "the audit signing key %(path)s can not be read (%(why)s): restore it from where it is kept, or point "
                "COUNTERSIGN_AUDIT_KEY_FILE at it"
            )
            % {"path": path, "why": error.strerror}
        ) from None
    if mode & 0o077:
        raise KeyUnusable(
            _("the audit signing key %(path)s is open to others (mode %(mode)s): chmod 600 it")
            % {"path": path, "mode": f"{mode:o}"}
        )
    try:
        key = load_pem_private_key(pem, password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise KeyUnusable(_("%(path)s is not an unencrypted private key in PEM") % {"path": path}) from None
    if not isinstance(key, Ed25519PrivateKey):
        raise KeyUnusable(_("%(path)s holds a key of another kind than Ed25519") % {"path": path})
    return key


def verifier_key() -> VerifierKey:
    """Return the public half, as verifiers need it; raise KeyUnusable."""
    return VerifierKey.of(settings.AUDIT_ORIGIN, load_key())


def recall() -> str | None:
    """Return the newest checkpoint's note as it was remembered, None when none was."""
    try:
        return memory_path().read_text(encoding="utf-8")
    except FileNotFoundError:
        return None


def remember(note: str) -> None:
    """Keep `note` as the newest checkpoint, on disk before this returns."""
    with new_file(memory_path(), replace=True) as temporary:
        temporary.write_text(note, encoding="utf-8")


def _create(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    pem = Ed25519PrivateKey.generate().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    # Whoever is first wins: a key that is there is never replaced.
    with contextlib.suppress(FileExistsError), new_file(path, replace=False) as temporary:
        temporary.write_bytes(pem)
