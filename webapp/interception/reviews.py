"""What reviewing has to tell the API. The room above registers its answer, so that this one need not know it."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Callable

#: Check ids and a time to {check id: (public id of its newest review item, the item's state at that time)}.
ReviewLookup = Callable[[list[uuid.UUID], dt.datetime], dict[uuid.UUID, tuple[str, str]]]

_lookups: list[ReviewLookup] = []


def register_review_lookup(lookup: ReviewLookup) -> None:
    """Make `lookup` the source of review states; called once, when the apps are ready."""
    _lookups.append(lookup)


def review_states(ids: list[uuid.UUID], now: dt.datetime) -> dict[uuid.UUID, tuple[str, str]]:
    """Return the review item of each check that has one."""
    if not ids:
        return {}
    return {key: state for lookup in _lookups for key, state in lookup(ids, now).items()}
