"""Which texts form a batch: texts of like length together, in an order that only the seed decides."""

from __future__ import annotations

import math

import numpy as np

#: Rows that are sorted by length together. Large enough for little padding, small enough for mixed batches.
POOL = 4_096


def plan(lengths: np.ndarray, windows: np.ndarray, *, budget: int, epochs: float, seed: int) -> list[np.ndarray]:
    """Return the rows of every batch of every epoch, in order: each row once an epoch, of a part of one a part of them.

    `lengths`: word pieces of a row's longest window; `windows`: how many it has. A batch holds at most `budget` padded
    word pieces, or one row.
    """
    batches = []
    for epoch in range(math.ceil(epochs)):
        chance = np.random.default_rng((seed, epoch))
        order = chance.permutation(len(lengths))
        made: list[np.ndarray] = []
        for start in range(0, len(order), POOL):
            pool = order[start : start + POOL]
            made += _cut(pool[np.argsort(lengths[pool], kind="stable")], lengths, windows, budget)
        batches += [made[i] for i in chance.permutation(len(made))[: round(len(made) * min(1, epochs - epoch))]]
    return batches


def _cut(rows: np.ndarray, lengths: np.ndarray, windows: np.ndarray, budget: int) -> list[np.ndarray]:
    batches: list[np.ndarray] = []
    first = width = count = 0
    for at, row in enumerate(rows):
        width, count = max(width, int(lengths[row])), count + int(windows[row])
        if at > first and width * count > budget:
            batches.append(rows[first:at])
            first, width, count = at, int(lengths[row]), int(windows[row])
    return [*batches, rows[first:]] if len(rows) else batches
