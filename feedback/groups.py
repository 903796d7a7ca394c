"""Groups that must not be torn apart by a split: a conversation, equal texts, near-duplicate texts.

Near-duplicates are found by MinHash over character 5-grams of the folded output and banded LSH (datasketch), with
fixed permutations: the same texts in the same order give the same groups on every machine.
"""

from __future__ import annotations

import hashlib
from array import array
from collections.abc import Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datasketch import MinHash

#: Estimated Jaccard similarity from which two outputs count as one text.
THRESHOLD = 0.8
PERMUTATIONS = 128
SHINGLE = 5
#: Code points that are compared; what differs only beyond them is the same text to us.
MAX_TEXT = 20_000
#: Shorter outputs ("Yes.") say too little alone: they are the same only together with their conversation.
MIN_TEXT = 40
#: A text with this many near-duplicates is not indexed itself, which keeps a flood of them from costing n².
CROWD = 16


def folded(text: str) -> str:
    """Return the text without what does not make it another one: case and white space."""
    return " ".join(text.casefold().split())


class Groups:
    """Items in the order they are added; each belongs to the group of every item it shares a key or a text with."""

    def __init__(self, *, threshold: float = THRESHOLD) -> None:
        # numpy and scipy come with it: web processes pay for them only when someone freezes or previews.
        from datasketch import MinHash, MinHashLSH

        self._blank = MinHash(num_perm=PERMUTATIONS, seed=1, scheme="affine32")
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
        signature = self._signature(text)
        similar = self._index.query(signature)
        self.near_duplicates += bool(similar)
        for other in similar:
            self._join(other, number)
        if len(similar) < CROWD:
            self._index.insert(number, signature, check_duplication=False)

    def _signature(self, text: str) -> MinHash:
        text = text[:MAX_TEXT]
        shingles = {text[i : i + SHINGLE].encode() for i in range(max(1, len(text) - SHINGLE + 1))}
        signature = self._blank.copy()
        signature.update_batch(sorted(shingles))
        return signature

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
