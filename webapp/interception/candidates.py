"""Two candidates of one answer in one batch: the second names the first by its place, "#0", "#1" and so on."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from webapp.interception.schemas import CheckAnswer, ProblemAnswer

_PLACE = re.compile(r"#(\d{1,3})\Z", re.ASCII)


def in_turn(checks: Sequence[dict[str, Any]], size: int) -> Iterator[list[int]]:
    """Yield the places of a batch in groups: those that name no other of it first, for the others need their ids."""
    first = [index for index, data in enumerate(checks) if _place(data) is None]
    then = [index for index, data in enumerate(checks) if _place(data) is not None]
    for places in (first, then):
        for start in range(0, len(places), size):
            yield places[start : start + size]


def named(
    checks: Sequence[dict[str, Any]], index: int, results: Mapping[int, CheckAnswer | ProblemAnswer]
) -> dict[str, Any]:
    """Return a check with the id of the one that it names; a place without one is refused as any unknown id is."""
    data = checks[index]
    place = _place(data)
    # What names another one itself is no first candidate, whether it has its answer yet or not: each link of a chain
    # would wait for the one before, and a batch of 256 for as many deadlines.
    is_first = place is not None and place < len(checks) and _place(checks[place]) is None
    other = results.get(place) if place is not None and is_first else None
    return {**data, "compare_with": other.id} if isinstance(other, CheckAnswer) else data


def _place(data: dict[str, Any]) -> int | None:
    value = data.get("compare_with")
    found = _PLACE.match(value) if isinstance(value, str) else None
    return int(found[1]) if found else None
