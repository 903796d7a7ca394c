"""Cut a long text into windows that overlap, so that work on each is bounded and nothing is lost at the cuts."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

_SPACE = re.compile(r"\s")


@dataclass(frozen=True, slots=True)
class Window:
    """`text[start:end]` is read; what overlaps `[core_start, core_end)` counts. Cores cover the text, once each."""

    start: int
    core_start: int
    core_end: int
    end: int


def windows(text: str, core: int, margin: int) -> Iterator[Window]:
    """Yield windows with cores of about `core` code points and `margin` more on both sides, cut at white space.

    A stretch of `margin` code points without white space is cut where it comes.
    """
    position = 0
    while position < len(text) or position == 0:
        core_end = len(text) if len(text) - position <= core + margin else _cut_back(text, position + core, margin)
        start = _cut_forward(text, max(0, position - margin), position) if position else 0
        end = min(len(text), core_end + margin)
        if end < len(text):
            end = max(core_end, _cut_back(text, end, margin))
        yield Window(start, position, core_end, end)
        if core_end >= len(text):
            return
        position = core_end


def _cut_back(text: str, position: int, reach: int) -> int:
    """Return the last place up to `position` that follows white space, not more than `reach` before it."""
    for index in range(position, max(position - reach, 0), -1):
        if text[index - 1].isspace():
            return index
    return position


def _cut_forward(text: str, position: int, limit: int) -> int:
    found = _SPACE.search(text, position, limit)
    return found.end() if found else position
