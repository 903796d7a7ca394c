"""How sweeps go through what is due: what fails stays due, and holds up nothing behind it."""

from __future__ import annotations

import logging
import uuid
from collections.abc import Callable, Iterable

log = logging.getLogger(__name__)


def sweep_each(keys: Iterable[uuid.UUID], step: Callable[[uuid.UUID], int]) -> int:
    """Take the step, a transaction of its own, for every key, and return the sum.

    Raises the first error after the last key, so that the task fails and somebody is told.
    """
    done, first = 0, None
    for key in list(keys):
        try:
            done += step(key)
        except Exception as error:  # noqa: BLE001 - whatever is wrong with one, the others are due
            log.error("%s of %s: %s", step.__name__, key, type(error).__name__)
            first = first or error
    if first is not None:
        raise first
    return done
