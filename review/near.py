"""Near-duplicate texts: what is compared of a text, its MinHash, and how alike two of them are.

MinHash over character 5-grams of the folded text (datasketch), with fixed permutations: a text has the same signature
on every machine. Datasets use this too: they must not tear near-duplicates apart.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datasketch import MinHash

#: Jaccard similarity of the 5-grams from which two outputs count as one text.
THRESHOLD = 0.8
PERMUTATIONS = 128
SHINGLE = 5
#: Code points that are taken apart; beyond them two texts must be equal.
MAX_TEXT = 20_000
#: Shorter outputs ("Yes.") say too little alone: they are the same only together with their conversation.
MIN_TEXT = 40
#: Twelve bands of eight: of pairs with similarity 0.8 nine in ten share a band, of those with 0.9 all but one in a
#: thousand, of those with 0.5 one in twenty. What shares a band is compared, so a false one costs time, not truth.
BANDS, ROWS = 12, 8


def folded(text: str) -> str:
    """Return the text without what does not make it another one: case and white space."""
    return " ".join(text.casefold().split())


def shingles(text: str) -> set[bytes]:
    """Return the 5-grams of a folded text's first MAX_TEXT code points."""
    text = text[:MAX_TEXT]
    return {text[i : i + SHINGLE].encode() for i in range(max(1, len(text) - SHINGLE + 1))}


def blank_signature() -> MinHash:
    # numpy and scipy come with it: only processes that compare texts pay for them.
    from datasketch import MinHash

    return MinHash(num_perm=PERMUTATIONS, seed=1, scheme="affine32")


def signature(text: str, blank: MinHash) -> MinHash:
    """Return the MinHash of a folded text; `blank` is that of no text, made once."""
    filled = blank.copy()
    filled.update_batch(sorted(shingles(text)))
    return filled


def bands(text: str, blank: MinHash) -> list[int]:
    """Return the keys, signed 64-bit, by which texts that may be near-duplicates of a folded text are found."""
    values = signature(text, blank).hashvalues
    rest = text[MAX_TEXT:]
    return [key(number, values[number * ROWS : (number + 1) * ROWS].tobytes(), rest) for number in range(BANDS)]


def key(*parts: object) -> int:
    """Return a signed 64-bit number that tells `parts` from others."""
    digest = hashlib.blake2b(digest_size=8)
    for part in parts:
        data = part if isinstance(part, bytes) else str(part).encode()
        digest.update(len(data).to_bytes(8, "big") + data)
    return int.from_bytes(digest.digest(), "big", signed=True)


def similarity(one: str, other: str) -> float:
    """Return how alike two folded texts are, in [0, 1]: 1 when they are equal, 0 when they part beyond MAX_TEXT."""
    if one == other:
        return 1.0
    if one[MAX_TEXT:] != other[MAX_TEXT:]:
        return 0.0
    first, second = shingles(one), shingles(other)
    # Two texts with the same 5-grams need not be one.
    return min(len(first & second) / len(first | second), 0.9999)
