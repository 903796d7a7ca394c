"""When a queue will be empty, if all goes on as in the last hours."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

#: Rates are taken from this many hours: long enough for a few decisions, short enough to notice a break.
HOURS = 3


@dataclass(frozen=True, slots=True)
class Forecast:
    """Rates are items an hour. `empty_at` is None when nothing waits or when it never gets empty at these rates."""

    waiting: int
    decided_per_hour: float
    raised_per_hour: float
    empty_at: dt.datetime | None
    overdue_in_an_hour: int

    @property
    def never(self) -> bool:
        return self.waiting > 0 and self.empty_at is None


def forecast(
    *, waiting: int, overdue: int, due_soon: int, decided: int, raised: int, hours: float, now: dt.datetime
) -> Forecast:
    """Return what follows from `decided` and `raised` items in the last `hours`.

    What is overdue or due in the next hour is taken to be decided first: the true figure is at least this one.
    """
    per_hour, coming = decided / hours, raised / hours
    empty_at = None
    if waiting and per_hour > coming:
        try:
            empty_at = now + dt.timedelta(hours=waiting / (per_hour - coming))
        except OverflowError:  # later than the calendar goes
            empty_at = None
    left = max(0, round(overdue + due_soon - per_hour))
    return Forecast(waiting, per_hour, coming, empty_at, left)
