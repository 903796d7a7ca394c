"""How records write a moment."""

from __future__ import annotations

import datetime as dt


def in_utc(moment: dt.datetime) -> str:
    return moment.astimezone(dt.UTC).isoformat(timespec="microseconds")
