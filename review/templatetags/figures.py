"""Figures as people read them."""

from __future__ import annotations

from django import template

register = template.Library()


@register.filter
def duration(milliseconds: float) -> str:
    """Return a length of time with two units at most: "850 ms" is "0.9 s", "75000 ms" is "1 min 15 s"."""
    seconds = milliseconds / 1000
    if seconds < 10:
        return f"{seconds:.1f} s"
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
def bar(value: int, highest: int) -> float:
    """Return how high a bar of 24 units is, where `highest` reaches the top."""
    return round(24 * value / highest, 1) if highest else 0.0
