"""Merkle tree hashes and proofs of RFC 6962, over stored hashes of complete subtrees.

A node is addressed by (level, index): the hash of the 2**level leaves that start at leaf index * 2**level; level 0 is
the leaf hashes. Complete subtrees never change, so a log of n leaves needs fewer than 2n of them and every proof
reads O(log(n)**2). Leaf and node hashes differ in their first byte, so that no node can pass for a leaf.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator

HASH_SIZE = 32
EMPTY_ROOT = hashlib.sha256(b"").digest()

#: Returns the hash of a complete subtree, given its level and index.
NodeReader = Callable[[int, int], bytes]
#: Level, index, hash.
Node = tuple[int, int, bytes]


class ProofError(Exception):
    """A proof does not show what it claims."""


def leaf_hash(data: bytes) -> bytes:
    return hashlib.sha256(b"\x00" + data).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    return hashlib.sha256(b"\x01" + left + right).digest()


class Frontier:
    """The complete subtrees on the right edge of a log: all that is needed to append and to know the root."""

    def __init__(self, size: int = 0, hashes: list[bytes] | None = None) -> None:
        """Start at `size` leaves; `hashes` are the subtrees that `places` names, in its order."""
        self.size = size
        self._hashes = list(hashes or [])
        if len(self._hashes) != len(self.places(size)):
            raise ValueError(f"a log of {size} leaves has {len(self.places(size))} subtrees on its edge")

    @staticmethod
    def places(size: int) -> list[tuple[int, int]]:
        """Return (level, index) of the edge's subtrees, the largest first: one for each bit of `size`."""
        return [(level, (size >> level) - 1) for level in reversed(range(size.bit_length())) if size >> level & 1]

    def append(self, hash: bytes) -> list[Node]:
        """Add a leaf hash; return the subtrees above level 0 that it completes, from the bottom up."""
        done: list[Node] = []
        index, level = self.size, 0
        while index & 1:
            hash = node_hash(self._hashes.pop(), hash)
            index, level = index >> 1, level + 1
            done.append((level, index, hash))
        self._hashes.append(hash)
        self.size += 1
        return done

    def root(self) -> bytes:
        """Return the root of the log as it stands; SHA-256 of nothing when it is empty."""
        return _fold(self._hashes) if self._hashes else EMPTY_ROOT


def _fold(hashes: list[bytes]) -> bytes:
    root = hashes[-1]
    for left in reversed(hashes[:-1]):
        root = node_hash(left, root)
    return root


def root_at(size: int, read: NodeReader) -> bytes:
    """Return the root that the log had at `size` leaves."""
    return Frontier(size, [read(level, index) for level, index in Frontier.places(size)]).root()


def _range_hash(begin: int, end: int, read: NodeReader) -> bytes:
    """Return the root of leaves begin..end-1, where `begin` is a multiple of the power of two at or above the width."""
    return _fold([read(level, (begin >> level) + index) for level, index in Frontier.places(end - begin)])


def _split(width: int) -> int:
    """Return the largest power of two below `width` (RFC 6962, 2.1)."""
    return 1 << ((width - 1).bit_length() - 1)


def inclusion_proof(index: int, size: int, read: NodeReader) -> list[bytes]:
    """Return the audit path of leaf `index` in the log of `size` leaves, from the leaf up (RFC 6962, 2.1.1)."""
    if not 0 <= index < size:
        raise ValueError(f"leaf {index} is not among the first {size}")
    path: list[bytes] = []
    begin, end = 0, size
    while end - begin > 1:
        middle = begin + _split(end - begin)
        if index < middle:
            path.append(_range_hash(middle, end, read))
            end = middle
        else:
            path.append(_range_hash(begin, middle, read))
            begin = middle
    return path[::-1]


def consistency_proof(old: int, new: int, read: NodeReader) -> list[bytes]:
    """Return the proof that the log of `new` leaves begins with the one of `old` (RFC 6962, 2.1.2)."""
    if not 0 < old <= new:
        raise ValueError(f"no proof leads from {old} to {new} leaves")
    path: list[bytes] = []
    begin, end, known = 0, new, True
    while old != end:
        middle = begin + _split(end - begin)
        if old <= middle:
            path.append(_range_hash(middle, end, read))
            end = middle
        else:
            path.append(_range_hash(begin, middle, read))
            begin, known = middle, False
    if not known:
        path.append(_range_hash(begin, end, read))
    return path[::-1]


def verify_inclusion(*, index: int, size: int, leaf: bytes, root: bytes, path: list[bytes]) -> None:
    """Return if `path` shows that `leaf` is at `index` of the log with `root` (RFC 9162, 2.1.3.2); raise ProofError."""
    if not 0 <= index < size:
        raise ProofError(f"leaf {index} is not among the first {size}")
    hashes = iter(path)
    place, last, result = index, size - 1, leaf
    while last:
        if place & 1:
            result = node_hash(_take(hashes), result)
        elif place < last:
            result = node_hash(result, _take(hashes))
        place, last = place >> 1, last >> 1
    if next(hashes, None) is not None or result != root:
        raise ProofError(f"leaf {index} is not in the log of {size} leaves with this root")


def verify_consistency(*, old: int, new: int, old_root: bytes, new_root: bytes, path: list[bytes]) -> None:
    """Return if `path` shows that the log of `new` leaves extends the one of `old`; raise ProofError (RFC 9162)."""
    if not 0 < old <= new:
        raise ProofError(f"no proof leads from {old} to {new} leaves")
    if old == new:
        if path or old_root != new_root:
            raise ProofError(f"two different logs of {new} leaves")
        return
    hashes = iter(path)
    place, last = old - 1, new - 1
    while place & 1:
        place, last = place >> 1, last >> 1
    # When the old log is one complete subtree of the new one, the proof leaves its root out.
    before = after = _take(hashes) if place else old_root
    while last:
        if place & 1:
            left = _take(hashes)
            before, after = node_hash(left, before), node_hash(left, after)
        elif place < last:
            after = node_hash(after, _take(hashes))
        place, last = place >> 1, last >> 1
    if next(hashes, None) is not None or before != old_root or after != new_root:
        raise ProofError(f"the log of {new} leaves does not begin with the log of {old}")


def _take(hashes: Iterator[bytes]) -> bytes:
    hash = next(hashes, None)
    if hash is None:
        raise ProofError("the proof is too short")
    return hash
