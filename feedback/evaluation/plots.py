"""Plots of a report as files: precision over recall, reliability, average precision, entities."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from feedback.evaluation.report import ModelReport, ranked_of
from feedback.evaluation.rows import Row
from feedback.evaluation.scoring import Scored
from webapp.files import new_file

COLOURS = ("#1b6ca8", "#c8553d", "#6b7280")
KINDS = ("svg", "png")
#: Panels side by side.
ACROSS = 4


def write_plots(
    folder: Path, rows: Sequence[Row], scored: Sequence[Scored], reports: Sequence[ModelReport], *, kind: str
) -> list[Path]:
    """Write the plots that the data allow into `folder`, as "svg" or "png", and return their paths.

    Plots there of an earlier run that are not written now are removed: they would be of other data than the report.
    """
    # A fixed salt, and no date: the same bytes for the same figures.
    with mpl.rc_context({"svg.hashsalt": "countersign", "font.size": 8, "axes.grid": True, "grid.alpha": 0.3}):
        figures: Mapping[str, Figure | None] = {
            "average_precision": _average_precision(reports),
            "precision_recall": _grid(reports, "recall", "precision", lambda a, c: draw_curves(a, c, rows, scored)),
            "reliability": _grid(reports, "score", "share of positives", lambda axes, c: _bins(axes, c, reports)),
            "entities": _entities(reports),
        }
        paths = []
        for name, figure in figures.items():
            if figure is not None:
                paths.append(folder / f"{name}.{kind}")
                with new_file(paths[-1], replace=True) as path:
                    figure.savefig(path, format=kind, dpi=120, metadata={"Date": None} if kind == "svg" else None)
    for old in {folder / f"{name}.{other}" for name in figures for other in KINDS}.difference(paths):
        old.unlink(missing_ok=True)
    return paths


def _average_precision(reports: Sequence[ModelReport]) -> Figure | None:
    names = _ranked(reports)
    if not names:
        return None
    shown = _shown(reports)
    figure = Figure(figsize=(8, 0.9 + 0.22 * len(names) * len(shown)), layout="constrained")
    axes = figure.subplots()
    height = 0.8 / len(shown)
    for place, (m, report) in enumerate(shown):
        found = {own.category: own.figures["ap"] for own in report.overall.categories if own.figures}
        at = [i + place * height for i, name in enumerate(names) if name in found]
        values = [found[name] for name in names if name in found]
        spread = np.array([[v.value - v.low for v in values], [v.high - v.value for v in values]]).clip(min=0)
        axes.barh(at, [v.value for v in values], height, xerr=spread, color=COLOURS[m], label=report.name)
    axes.set_yticks([i + 0.4 - height / 2 for i in range(len(names))], names)
    axes.set(xlim=(0, 1), xlabel="average precision, 95 % interval")
    axes.invert_yaxis()
    figure.legend(loc="outside upper center", ncols=len(shown))
    return figure


def _entities(reports: Sequence[ModelReport]) -> Figure | None:
    found = [(r, own) for r in reports for own in r.overall.entities if own.spans]
    if not found:
        return None
    figure = Figure(figsize=(8, 0.8 + 0.35 * len(found)), layout="constrained")
    axes = figure.subplots()
    for i, (_, own) in enumerate(found):
        axes.barh(i, own.overlapping["f1"].value, color=COLOURS[2], alpha=0.4)
        axes.barh(i, own.exact["f1"].value, color=COLOURS[0], height=0.5)
    axes.set_yticks(range(len(found)), [f"{own.entity}, {r.name}" for r, own in found])
    axes.set(xlim=(0, 1), xlabel="F1: exact (dark), overlapping (light)")
    axes.invert_yaxis()
    return figure


def _grid(reports: Sequence[ModelReport], x: str, y: str, draw: Callable[[Axes, str], None]) -> Figure | None:
    names = _ranked(reports)
    if not names:
        return None
    shown, across = _shown(reports), min(ACROSS, len(names))
    lines = -(-len(names) // across)
    # Room for a legend above: below it would lie on the label.
    figure = Figure(figsize=(max(5.0, 2.5 * across), 0.4 + 2.4 * lines), layout="constrained")
    grid = figure.subplots(lines, across, sharex=True, sharey=True, squeeze=False)
    for axes in grid.flat[len(names) :]:
        axes.set_visible(False)
    for axes, name in zip(grid.flat, names, strict=False):
        axes.set(title=name, xlim=(0, 1), ylim=(0, 1.02))
        draw(axes, name)
    for axes in grid.flat[max(0, len(names) - across) : len(names)]:  # none is drawn below these
        axes.tick_params(labelbottom=True)
    for m, report in shown:
        grid.flat[0].plot([], [], color=COLOURS[m], label=report.name)
    figure.legend(loc="outside upper center", ncols=len(shown))
    figure.supxlabel(x)
    figure.supylabel(y)
    return figure


def draw_curves(axes: Axes, category: str, rows: Sequence[Row], scored: Sequence[Scored]) -> None:
    """Draw a line for each model that has the category; the area under it is the average precision of the tables."""
    for m, one in enumerate(scored):
        if category in one.categories and (found := ranked_of(rows, one, category, np.flatnonzero(one.read))):
            recall, precision = found[0].curve()
            axes.step(recall, precision, where="pre", color=COLOURS[m], linewidth=1)


def _bins(axes: Axes, category: str, reports: Sequence[ModelReport]) -> None:
    axes.plot([0, 1], [0, 1], color="#9ca3af", linewidth=0.8, linestyle=":")
    for m, report in enumerate(reports):
        own = next((c for c in report.overall.categories if c.category == category), None)
        if own is not None and own.reliability:
            scores, shares, _ = zip(*own.reliability, strict=True)
            axes.plot(scores, shares, marker="o", markersize=3, linewidth=1, color=COLOURS[m])


def _ranked(reports: Sequence[ModelReport]) -> list[str]:
    return list(dict.fromkeys(own.category for r in reports for own in r.overall.categories if own.figures))


def _shown(reports: Sequence[ModelReport]) -> list[tuple[int, ModelReport]]:
    """Return the models of which there is something to rank, each with its place among all, which gives its colour."""
    return [(m, report) for m, report in enumerate(reports) if _ranked([report])]
