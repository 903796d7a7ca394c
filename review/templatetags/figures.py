"""Figures as people read them."""

from __future__ import annotations

import datetime as dt
from typing import Any
from urllib.parse import urlencode

from django import template
from django.urls import reverse
from django.utils.formats import number_format

from review.dashboard.queries import AGES

register = template.Library()


@register.filter
def duration(milliseconds: float) -> str:
    """Return a length of time with two units at most: "850 ms" is "0.9 s", "75000 ms" is "1 min 15 s"."""
    seconds = milliseconds / 1000
    if seconds < 10:
        return f"{number_format(seconds, 1)} s"
    minutes, left = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours} h {minutes} min"
    return f"{minutes} min {left} s" if minutes else f"{left} s"


@register.filter
def percent(share: float) -> str:
    """Return a share of 1 as a whole number of percent."""
    return f"{share * 100:.0f} %"


@register.filter
def bar(value: int, highest: int) -> str:
    """Return how high a bar of 24 units is, where `highest` reaches the top; as a drawing has it in every language."""
    return f"{24 * value / highest if highest else 0:.1f}"


@register.simple_tag(takes_context=True)
def items_url(context: template.Context, **filters: Any) -> str:
    """Return the address of the list of items behind a figure of the dashboard.

    In a section they are of its queue. `age` is a column of ages, `hour` an hour that ended so many hours ago, `days`
    the days until now; without a value a filter is left out.
    """
    queue = getattr(context.get("section"), "queue", None)
    wanted = {"queue": queue and queue.slug, **filters, **_times(context["board"].at, filters)}
    query = {name: value for name, value in wanted.items() if value and name not in ("age", "hour", "days")}
    return f"{reverse('review:browse', args=[context['project'].slug])}?{urlencode(query)}"


def _times(now: dt.datetime, filters: dict[str, Any]) -> dict[str, str]:
    since = until = None
    if "age" in filters:
        since, until = dict(enumerate(AGES)).get(filters["age"]), dict(enumerate(AGES, start=1)).get(filters["age"])
    elif "hour" in filters:
        since, until = dt.timedelta(hours=filters["hour"] + 1), dt.timedelta(hours=filters["hour"])
    elif "days" in filters:
        since = dt.timedelta(days=filters["days"])
    bounds = {"since": since, "until": until}
    return {name: (now - ago).strftime("%Y-%m-%dT%H:%M:%S.%f") for name, ago in bounds.items() if ago is not None}
