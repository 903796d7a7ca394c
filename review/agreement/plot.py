"""A dot with its interval for each question, as SVG. Colours come from the page's style sheet, by class."""

from __future__ import annotations

from collections.abc import Sequence

from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from review.agreement.coefficients import Estimate

WIDTH, NAMES, RIGHT, TOP, LINE = 720, 200, 40, 8, 22
#: Krippendorff's limits: below the first no conclusion, from the second on a reliable one.
LIMITS = (0.667, 0.8)


def dots(rows: Sequence[tuple[str, Estimate]], *, title: str) -> SafeString:
    """Return a line for each named estimate that has a value, "" without any; the axis ends at 1."""
    shown = [(name, found) for name, found in rows if found.value is not None]
    if not shown:
        return SafeString("")
    lowest = min(value for _, found in shown for value in (found.value, found.low) if value is not None)
    ticks = [tick / 5 for tick in range(min(0, int(lowest * 5 // 1)), 6)]
    bottom = TOP + LINE * len(shown)
    parts = [_tick(tick, ticks[0], bottom) for tick in ticks]
    parts += [_limit(limit, ticks[0], bottom) for limit in LIMITS]
    parts += [_row(name, found, ticks[0], TOP + LINE * (place + 0.5)) for place, (name, found) in enumerate(shown)]
    return format_html(
        '<svg class="dots" viewBox="0 0 {} {}" role="img" aria-label="{}">{}</svg>',
        WIDTH,
        bottom + 24,
        title,
        format_html_join("", "{}", ((part,) for part in parts)),
    )


def _x(value: float, least: float) -> str:
    return f"{NAMES + (WIDTH - NAMES - RIGHT) * (value - least) / (1 - least):.1f}"


def _tick(tick: float, least: float, bottom: float) -> SafeString:
    x = _x(tick, least)
    line = format_html('<line class="dots-grid" x1="{}" x2="{}" y1="{}" y2="{}"/>', x, x, TOP, bottom)
    text = format_html(
        '<text class="dots-text" x="{}" y="{}" text-anchor="middle">{}</text>', x, bottom + 16, f"{tick:g}"
    )
    return line + text


def _limit(limit: float, least: float, bottom: float) -> SafeString:
    x = _x(limit, least)
    return format_html('<line class="dots-limit" x1="{}" x2="{}" y1="{}" y2="{}"/>', x, x, TOP, bottom)


def _row(name: str, found: Estimate, least: float, y: float) -> SafeString:
    value = found.value or 0.0
    short = name if len(name) <= 28 else f"{name[:27]}…"
    text = format_html('<text class="dots-text" x="{}" y="{}" text-anchor="end">{}</text>', NAMES - 12, y + 4, short)
    dot = format_html('<circle class="dots-value" cx="{}" cy="{}" r="4.5"/>', _x(value, least), y)
    if found.low is None or found.high is None:
        return text + dot
    ends = _x(found.low, least), _x(found.high, least)
    return text + format_html('<line class="dots-interval" x1="{}" x2="{}" y1="{}" y2="{}"/>', *ends, y, y) + dot
