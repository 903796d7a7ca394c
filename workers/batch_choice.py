"""Which pieces of nearly the same length make a batch within a budget of padded tokens."""

from __future__ import annotations

from collections.abc import Sequence


def nearest(lengths: Sequence[int], first: int, budget: int) -> tuple[int, int]:
    """Return the bounds of a batch in ascending `lengths`: around `first`, nearest lengths first.

    The batch has `first`, and its rows times its longest row stay within `budget` unless it is alone.
    """
    low, high = first, first + 1
    while True:
        below = (
            lengths[first] - lengths[low - 1] if low > 0 and fits(high - low + 1, lengths[high - 1], budget) else None
        )
        above = (
            lengths[high] - lengths[first]
            if high < len(lengths) and fits(high - low + 1, lengths[high], budget)
            else None
        )
        if below is None and above is None:
            return low, high
        if above is None or (below is not None and below <= above):
            low -= 1
        else:
            high += 1


def fits(rows: int, longest: int, budget: int) -> bool:
    return rows * longest <= budget
