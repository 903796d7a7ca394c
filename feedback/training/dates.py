"""How dates and times are written."""

from __future__ import annotations

from calendar import day_name, month_name
from collections.abc import Callable
from datetime import datetime

Form = Callable[[datetime], str]


def _ordinal(day: int) -> str:
    return f"{day}{'th' if 10 < day < 14 else {1: 'st', 2: 'nd', 3: 'rd'}.get(day % 10, 'th')}"


#: Of day, name of the month and year.
FOREIGN_DATES = (("de", "{}. {} {}"), ("fr", "{} {} {}"), ("es", "{} de {} de {}"))
DATES: tuple[Form, ...] = (
    lambda d: f"{d:%Y-%m-%d}",
    lambda d: f"{d.month}/{d.day}/{d.year}",
    lambda d: f"{d:%m/%d/%Y}",
    lambda d: f"{d:%d/%m/%Y}",
    lambda d: f"{d:%d.%m.%Y}",
    lambda d: f"{d.day}.{d.month}.{d:%y}",
    lambda d: f"{d:%d-%m-%Y}",
    lambda d: f"{d.day} {month_name[d.month]} {d.year}",
    lambda d: f"{month_name[d.month]} {d.day}, {d.year}",
    lambda d: f"{month_name[d.month]} {_ordinal(d.day)}, {d.year}",
    lambda d: f"{_ordinal(d.day)} of {month_name[d.month]} {d.year}",
    lambda d: f"{month_name[d.month]} {_ordinal(d.day)}",
    lambda d: f"{d.day} {month_name[d.month]}",
    lambda d: f"{month_name[d.month]} {d.year}",
    lambda d: f"{day_name[d.weekday()]}, {d.day} {month_name[d.month]} {d.year}",
    lambda d: f"{day_name[d.weekday()][:3]} {d.day} {month_name[d.month][:3]}",
    lambda d: f"{d.day:02}-{month_name[d.month][:3]}-{d.year}",
    lambda d: f"{month_name[d.month][:3]}. {d.day}, {d.year}",
    lambda d: f"{d:%Y/%m/%d}",
    lambda d: f"{d.year}年{d.month}月{d.day}日",
)
TIMES: tuple[Form, ...] = (
    lambda d: f"{d:%H:%M}",
    lambda d: f"{d.hour % 12 or 12}:{d.minute:02} {'am' if d.hour < 12 else 'pm'}",
    lambda d: f"{d.hour % 12 or 12} {'a.m.' if d.hour < 12 else 'p.m.'}",
    lambda d: f"{d.hour % 12 or 12}{'AM' if d.hour < 12 else 'PM'}",
    lambda d: f"{d:%H.%M}",
)
STAMPS: tuple[Form, ...] = (
    lambda d: f"{d:%Y-%m-%d %H:%M:%S}",
    lambda d: f"{d:%Y-%m-%dT%H:%M:%S}Z",
    lambda d: f"{d:%Y-%m-%dT%H:%M:%S}+0{d.minute % 9 + 1}:00",
    lambda d: f"{d:%d/%m/%Y %H:%M}",
    lambda d: f"{d.month}/{d.day}/{d:%y}, {d.hour % 12 or 12}:{d.minute:02} {'AM' if d.hour < 12 else 'PM'}",
    lambda d: f"{d.day} {month_name[d.month][:3]} {d.year}, {d:%H:%M}",
    lambda d: f"{day_name[d.weekday()]} at {d.hour % 12 or 12}:{d.minute:02} {'am' if d.hour < 12 else 'pm'}",
    lambda d: f"{month_name[d.month]} {d.day} at {d:%H:%M}",
    lambda d: f"{d:%d}/{month_name[d.month][:3]}/{d:%Y:%H:%M:%S} +0000",
)
