"""Figures as text: Markdown tables that also read well on a terminal."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence


def table(header: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """Return a Markdown table whose columns line up."""
    lines = [list(header), *([str(cell) for cell in row] for row in rows)]
    widths = [max(len(line[c]) for line in lines) for c in range(len(header))]
    lines.insert(1, ["-" * max(3, width) for width in widths])
    return "\n".join(
        "| " + " | ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)) + " |" for line in lines
    )


def figure(value: object) -> str:
    """Return a figure of three digits, or a dash where there is none."""
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return "–"
    return f"{value:.3f}" if isinstance(value, float) else str(value)
