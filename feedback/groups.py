"""Groups that must not be torn apart by a split: a conversation, equal texts, near-duplicate texts.

Near-duplicates are found by the MinHash of `review.near` and banded LSH (datasketch): the same texts in the same order
give the same groups on every machine.
"""

from __future__ import annotations

import hashlib
from array import array
from collections.abc import Iterable

from review.near import MIN_TEXT, PERMUTATIONS, THRESHOLD, blank_signature, folded, signature

#: A text with this many near-duplicates is not indexed itself, which keeps a flood of them from costing n².
CROWD = 16


class Groups:
    """Items in the order they are added; each belongs to the group of every item it shares a key or a text with."""

    def __init__(self, *, threshold: float = THRESHOLD) -> None:
        # numpy and scipy come with it: web processes pay for them only when someone freezes or previews.
        from datasketch import MinHashLSH

        self._blank = blank_signature()
        self._index = MinHashLSH(threshold=threshold, num_perm=PERMUTATIONS)
        self._parent = array("q")
        self._first: dict[bytes, int] = {}
        self.near_duplicates = 0

    def add(self, keys: tuple[bytes, ...], text: str | None) -> int:
        """Add an item with the keys of its conversation and text; return its number.

        `text`: the folded output, None when it is too short to be compared.
        """
        number = len(self._parent)
        self._parent.append(number)
        seen = [key in self._first for key in keys]
        for key in keys:
            self._join(self._first.setdefault(key, number), number)
        # The last key is the text's: a text that was seen is in its group already.
        if text is not None and not seen[-1]:
            self._join_similar(number, text)
        return number

    def root(self, number: int) -> int:
        """Return the number of the earliest item in the group."""
        while self._parent[number] != number:
            self._parent[number] = self._parent[self._parent[number]]
            number = self._parent[number]
        return number

    def __len__(self) -> int:
        return len(self._parent)

    def keys(self) -> dict[bytes, int]:
        """Return every key with the number of the first item that had it."""
        return self._first

    def _join_similar(self, number: int, text: str) -> None:
        own = signature(text, self._blank)
        similar = self._index.query(own)
        self.near_duplicates += bool(similar)
        for other in similar:
            self._join(other, number)
        if len(similar) < CROWD:
            self._index.insert(number, own, check_duplication=False)

    def _join(self, one: int, other: int) -> None:
        first, second = sorted((self.root(one), self.root(other)))
        self._parent[second] = first


def clusters(texts: Iterable[str], *, threshold: float) -> list[int]:
    """Return for each text the position of the first member of its cluster: equal or near-duplicate texts."""
    groups = Groups(threshold=threshold)
    for text in texts:
        own = folded(text)
        groups.add((fingerprint(own),), own if len(own) >= MIN_TEXT else None)
    return [groups.root(i) for i in range(len(groups))]


def fingerprint(*parts: str) -> bytes:
    """Return 16 bytes that tell exact duplicates; never stored."""
    return hashlib.blake2b("\0".join(parts).encode(), digest_size=16).digest()
