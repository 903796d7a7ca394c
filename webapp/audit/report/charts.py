"""Charts as SVG, the same on the page and in the PDF.

Shapes carry a colour for the PDF and a class for the page's style sheet; no style attributes, which the pages'
Content-Security-Policy refuses. Numbers are rounded, so that equal data makes equal bytes.
"""

from __future__ import annotations

from collections.abc import Sequence
from xml.sax.saxutils import escape, quoteattr

from webapp.templatetags.terms import term

#: Dark to light in this order, so that they differ in grey as well.
COLOURS = {
    "allow": "#2f7d5b",
    "redact": "#4f86c6",
    "hold": "#e3a72f",
    "block": "#a8322d",
    "release": "#2f7d5b",
    "replace": "#7a6bb0",
}
FALLBACK = "#7c8794"
INK, GRID = "#3b4450", "#d9dee4"
WIDTH, HEIGHT = 720, 210
LEFT, RIGHT, TOP, BOTTOM = 46, 8, 26, 24


def stacked_bars(*, title: str, labels: Sequence[str], series: dict[str, list[int]]) -> str:
    """Return a column for each label, its parts stacked in the order of `series`; "" when all counts are zero."""
    totals = [sum(column) for column in zip(*series.values(), strict=True)]
    if not any(totals):
        return ""
    top, ticks = _scale(max(totals))
    step = (WIDTH - LEFT - RIGHT) / len(labels)
    bar = max(1.0, min(step * 0.72, 46))
    unit = (HEIGHT - TOP - BOTTOM) / top
    shapes = [_grid(tick, HEIGHT - BOTTOM - tick * unit) for tick in ticks]
    for place, label in enumerate(labels):
        left = LEFT + place * step + (step - bar) / 2
        base = float(HEIGHT - BOTTOM)
        for name, counts in series.items():
            height = counts[place] * unit
            if height:
                base -= height
                shapes.append(_bar(name, left, base, bar, height, f"{label}: {counts[place]} {term(name)}"))
    every = max(1, -(-len(labels) // 12))
    for place, label in enumerate(labels):
        if place % every == 0:
            shapes.append(_text(LEFT + (place + 0.5) * step, HEIGHT - 8, _short(label), "middle"))
    return _svg(title, HEIGHT, [*_legend(series), *shapes])


def _scale(highest: int) -> tuple[int, list[int]]:
    """Return the top of the axis and its ticks: three to five round numbers."""
    size = 10 ** (len(str(highest)) - 1)
    for step in (size // 5, size // 2, size, 2 * size, 5 * size):
        if step and -(-highest // step) <= 5:
            break
    top = -(-highest // step) * step
    return top, list(range(0, top + 1, step))


def _legend(series: dict[str, list[int]]) -> list[str]:
    shapes, left = [], float(LEFT)
    for name, counts in series.items():
        text = f"{term(name)} {sum(counts)}"
        shapes += [_bar(name, left, 6, 10, 10, text), _text(left + 15, 15, text, "start")]
        left += 30 + 6.6 * len(text)
    return shapes


def _grid(tick: int, y: float) -> str:
    line = f'<line class="chart-grid" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y:.1f}" y2="{y:.1f}" stroke="{GRID}"/>'
    return line + _text(LEFT - 6, y + 3.5, str(tick), "end")


def _bar(name: str, x: float, y: float, width: float, height: float, tip: str) -> str:
    place = f'x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{height:.1f}"'
    colour = COLOURS.get(name, FALLBACK)
    return f'<rect class="chart-{escape(name)}" {place} fill="{colour}"><title>{escape(tip)}</title></rect>'


def _text(x: float, y: float, text: str, anchor: str) -> str:
    face = f'font-family="Libertinus Serif, serif" font-size="11" fill="{INK}"'
    return f'<text class="chart-text" x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" {face}>{escape(text)}</text>'


def _svg(title: str, height: int, shapes: list[str]) -> str:
    head = f'<svg xmlns="http://www.w3.org/2000/svg" class="chart" viewBox="0 0 {WIDTH} {height}" role="img"'
    return f"{head} aria-label={quoteattr(title)}>{''.join(shapes)}</svg>"


def _short(label: str) -> str:
    return label[5:] if len(label) == 10 else label
