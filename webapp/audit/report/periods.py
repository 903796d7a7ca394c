"""The time a report is about: since <= ts < until, in UTC."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from django.utils.translation import gettext as _


class PeriodError(ValueError):
    """Not a period; the message says what is wrong with it."""


@dataclass(frozen=True, slots=True)
class Period:
    since: dt.datetime
    until: dt.datetime

    def __post_init__(self) -> None:
        if self.since >= self.until:
            raise PeriodError(_("The period ends before it begins."))

    def __str__(self) -> str:
        return f"{show_time(self.since)} to {show_time(self.until)}"

    @property
    def by_month(self) -> bool:
        """Return whether the period is too long for a column a day."""
        return self.until - self.since > dt.timedelta(days=62)

    def buckets(self) -> list[str]:
        """Return the days (or the months of a long period) that it touches, as `bucket` names them."""
        days = (self.until - dt.timedelta(microseconds=1)).date() - self.since.date()
        dates = (self.since.date() + dt.timedelta(days=n) for n in range(days.days + 1))
        return list(dict.fromkeys(self.bucket(date.isoformat()) for date in dates))

    def contains(self, ts: str) -> bool:
        """Return whether an event's time is in the period."""
        return self.since <= dt.datetime.fromisoformat(ts) < self.until

    def bucket(self, ts: str) -> str:
        return ts[:7] if self.by_month else ts[:10]


def parse_period(since: str, until: str) -> Period:
    """Return the period between two dates or times in ISO 8601; without a zone they are UTC. Raises PeriodError."""
    return Period(_parse(since), _parse(until))


def month_of(day: dt.date) -> Period:
    first = day.replace(day=1)
    following = (first + dt.timedelta(days=31)).replace(day=1)
    return Period(_midnight(first), _midnight(following))


def days_until(day: dt.date, count: int) -> Period:
    """Return the `count` days that end with `day`."""
    end = day + dt.timedelta(days=1)
    return Period(_midnight(end - dt.timedelta(days=count)), _midnight(end))


def show_time(moment: dt.datetime) -> str:
    """Return the shortest exact form: a date alone when the time is midnight UTC."""
    moment = moment.astimezone(dt.UTC)
    if moment.time() == dt.time.min:
        return moment.date().isoformat()
    return moment.isoformat(timespec="microseconds" if moment.microsecond else "seconds").replace("+00:00", "Z")


def _midnight(day: dt.date) -> dt.datetime:
    return dt.datetime.combine(day, dt.time.min, tzinfo=dt.UTC)


def _parse(text: str) -> dt.datetime:
    try:
        moment = dt.datetime.fromisoformat(text)
    except ValueError:
        raise PeriodError(_("%(text)s is not a date like 2026-11-01.") % {"text": repr(text[:40])}) from None
    try:
        return moment.replace(tzinfo=dt.UTC) if moment.tzinfo is None else moment.astimezone(dt.UTC)
    except OverflowError:
        raise PeriodError(_("The calendar does not reach that far.")) from None
