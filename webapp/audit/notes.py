"""Checkpoints as C2SP signed notes: https://c2sp.org/tlog-checkpoint and https://c2sp.org/signed-note.

A checkpoint's text is three lines: origin, size, root in base64. A blank line and signature lines follow; ours is
Ed25519 over the text, its key named by the origin.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from dataclasses import dataclass

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from webapp.audit.errors import NoteError
from webapp.audit.merkle import HASH_SIZE

ED25519 = b"\x01"
NAME = re.compile(r"[^\s+]+\Z")
SIZE = re.compile(r"(0|[1-9][0-9]{0,18})\Z")


@dataclass(frozen=True, slots=True)
class Checkpoint:
    origin: str
    size: int
    root: bytes

    def text(self) -> str:
        return f"{self.origin}\n{self.size}\n{base64.b64encode(self.root).decode()}\n"


@dataclass(frozen=True, slots=True)
class VerifierKey:
    """A public key and the name it signs under."""

    name: str
    public: bytes

    def __post_init__(self) -> None:
        if not NAME.match(self.name):
            raise NoteError("a key's name has neither spaces nor plus signs")

    @property
    def id(self) -> bytes:
        """Four bytes that tell keys of one name apart."""
        return hashlib.sha256(self.name.encode() + b"\n" + ED25519 + self.public).digest()[:4]

    def __str__(self) -> str:
        """Return the form that verifiers are configured with (a "vkey")."""
        return f"{self.name}+{self.id.hex()}+{base64.b64encode(ED25519 + self.public).decode()}"

    @classmethod
    def of(cls, name: str, private: Ed25519PrivateKey) -> VerifierKey:
        return cls(name, private.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw))

    @classmethod
    def parse(cls, vkey: str) -> VerifierKey:
        """Return the key of a vkey; raise NoteError when it is malformed or its id does not match."""
        name, _, rest = vkey.strip().partition("+")
        digits, _, encoded = rest.partition("+")
        material = _decode(encoded)
        if len(material) != 33 or material[:1] != ED25519:
            raise NoteError("not the verifier key of an Ed25519 key")
        key = cls(name, material[1:])
        if key.id.hex() != digits:
            raise NoteError("the verifier key's id does not match its key")
        return key


def sign_note(text: str, *, name: str, private: Ed25519PrivateKey) -> str:
    """Return `text`, which ends with a newline, as a note signed under `name`."""
    if not text.endswith("\n"):
        raise NoteError("the text of a note ends with a newline")
    signature = VerifierKey.of(name, private).id + private.sign(text.encode())
    return f"{text}\n— {name} {base64.b64encode(signature).decode()}\n"


def open_note(note: str, key: VerifierKey) -> str:
    """Return the text of a note that `key` signed; raise NoteError otherwise. Other keys' signatures are ignored."""
    text, _, signatures = note.rpartition("\n\n")
    text += "\n"
    for line in signatures.splitlines():
        mark, _, rest = line.partition(" ")
        name, _, encoded = rest.partition(" ")
        if mark != "—" or not name or not encoded:
            raise NoteError("a signature line is malformed")
        signature = _decode(encoded)
        if (name, signature[:4]) == (key.name, key.id):
            try:
                Ed25519PublicKey.from_public_bytes(key.public).verify(signature[4:], text.encode())
            except InvalidSignature:
                raise NoteError("the signature does not match the text") from None
            return text
    raise NoteError(f"not signed by the key {key.name}+{key.id.hex()}")


def parse_checkpoint(text: str) -> Checkpoint:
    """Return the checkpoint that a note's text states; raise NoteError. Extension lines are ignored."""
    lines = text.split("\n")
    if len(lines) < 4 or lines[-1] or not lines[0] or not SIZE.match(lines[1]):
        raise NoteError("not a checkpoint")
    root = _decode(lines[2])
    if len(root) != HASH_SIZE:
        raise NoteError("the root of a checkpoint has 32 bytes")
    return Checkpoint(origin=lines[0], size=int(lines[1]), root=root)


def open_checkpoint(note: str, key: VerifierKey) -> Checkpoint:
    """Return the checkpoint of a note signed by `key` for the log of the same name; raise NoteError."""
    checkpoint = parse_checkpoint(open_note(note, key))
    if checkpoint.origin != key.name:
        raise NoteError("the checkpoint is of another log")
    return checkpoint


def _decode(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except binascii.Error:
        raise NoteError("not base64") from None
