"""Which of our own templates are held out. A generator deals; `split` reads the side back from a text's id."""

from __future__ import annotations

import zlib
from collections.abc import Sequence

SIDES = ("train", "calibration", "test")
#: One value in so many goes to each of the two held-out sides.
EVERY = 7


def deal(values: Sequence[str], *, seed: int) -> list[str]:
    """Return a side for each value, by its text and the seed: with four or more, at least one on each side."""
    order = sorted(range(len(values)), key=lambda i: (zlib.crc32(f"{seed}:{values[i]}".encode()), values[i]))
    held = max(1, len(values) // EVERY) if len(values) > 3 else 0
    sides = ["train"] * len(values)
    for rank, i in enumerate(order[: 2 * held]):
        sides[i] = "calibration" if rank < held else "test"
    return sides
