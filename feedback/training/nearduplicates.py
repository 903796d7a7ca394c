"""Near-duplicate clusters by MinHash over word triples, in a few seconds for 100,000 short texts."""

from __future__ import annotations

import re
import zlib
from collections.abc import Sequence

import numpy as np

_WORD = re.compile(r"\w+")
_PRIME = (1 << 31) - 1
BANDS, ROWS = 8, 2
THRESHOLD = 0.4


def clusters(texts: Sequence[str]) -> list[int]:
    """Return for each text the position of its cluster's first member.

    Candidates are pairs that agree in one of 8 bands of 2 minimum hashes (90 % of pairs with half of their word triples
    in common); they are joined when they do share THRESHOLD of their triples. Clusters are the connected components.
    """
    numbers = np.random.default_rng(0)
    a = numbers.integers(1, _PRIME, size=(BANDS * ROWS, 1), dtype=np.int64)
    b = numbers.integers(0, _PRIME, size=(BANDS * ROWS, 1), dtype=np.int64)
    parent = list(range(len(texts)))
    seen: dict[tuple[int, bytes], int] = {}
    shingles = [_shingles(text) for text in texts]
    for index, own in enumerate(shingles):
        signature = ((a * own + b) % _PRIME).min(axis=1)
        for band in range(BANDS):
            key = (band, signature[band * ROWS : (band + 1) * ROWS].tobytes())
            other = seen.setdefault(key, index)
            if other != index and _overlap(own, shingles[other]) >= THRESHOLD:
                _join(parent, other, index)
    return [_root(parent, i) for i in range(len(texts))]


def _shingles(text: str) -> np.ndarray:
    words = _WORD.findall(text.casefold()) or [text]
    size = min(3, len(words))
    triples = {" ".join(words[i : i + size]) for i in range(len(words) - size + 1)}
    return np.unique(np.array([zlib.crc32(t.encode("utf-8", "replace")) % _PRIME for t in triples], dtype=np.int64))


def _overlap(first: np.ndarray, second: np.ndarray) -> float:
    shared = len(np.intersect1d(first, second, assume_unique=True))
    return shared / (len(first) + len(second) - shared)


def _root(parent: list[int], i: int) -> int:
    while parent[i] != i:
        parent[i] = parent[parent[i]]
        i = parent[i]
    return i


def _join(parent: list[int], i: int, j: int) -> None:
    first, second = sorted((_root(parent, i), _root(parent, j)))
    parent[second] = first
