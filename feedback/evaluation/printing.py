"""A report as Markdown, for the terminal and for a file; several models side by side."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

from feedback.evaluation.figures import Interval
from feedback.evaluation.report import ModelReport, Part
from feedback.evaluation.tables import figure, table

FIGURES = {"ap": "AP", "auroc": "AUROC", "precision": "precision", "recall": "recall", "f1": "F1", "ece": "ECE"}
#: From fewer texts a bootstrap draws no others than these: where all come out alike, its interval is a point.
FEW = 10


def markdown(reports: Sequence[ModelReport], gains: dict[str, Interval]) -> str:
    """Return the tables of `reports`; `gains`: how much the second model's average precision exceeds the first's."""
    parts = [_models(reports), *_categories(reports), *_gains(reports, gains), *_benign(reports)]
    parts += [*_entities(reports), *_slices(reports)]
    return "\n\n".join(parts) + "\n"


def _models(reports: Sequence[ModelReport]) -> str:
    rows = [[r.name, r.version, r.overall.texts, r.overall.unscanned] for r in reports]
    return table(["model", "version", "texts", "not read"], rows)


def _categories(reports: Sequence[ModelReport]) -> Iterable[str]:
    names = dict.fromkeys(own.category for r in reports for own in r.overall.categories if own.known)
    found = {(r.name, own.category): own for r in reports for own in r.overall.categories}
    rows = []
    for category in names:
        for r in reports:
            if own := found.get((r.name, category)):
                cells = [_short(own.figures.get(name)) for name in FIGURES]
                rows.append([category, r.name, own.known, own.positive, own.threshold, *cells])
    if rows:
        header = ["category", "model", "known", "positive", "flag from", *FIGURES.values()]
        few = [c.category for c in found.values() if c.figures and min(c.positive, c.known - c.positive) < FEW]
        yield "## Categories\n" + table(header, rows) + _note("have it, or lack it", few)


def _gains(reports: Sequence[ModelReport], gains: dict[str, Interval]) -> Iterable[str]:
    if gains:
        first, second = reports[0].name, reports[1].name
        rows = [
            [category, f"{gain.value:+.3f} ({gain.low:+.3f} to {gain.high:+.3f})"] for category, gain in gains.items()
        ]
        yield f"## {second} less {first}\n" + table(["category", "average precision"], rows)


def _benign(reports: Sequence[ModelReport]) -> Iterable[str]:
    rows = []
    for r in reports:
        if r.overall.benign:
            worst = sorted(r.overall.benign.alarms.items(), key=lambda item: -item[1])[:4]
            named = ", ".join(f"{category} {count}" for category, count in worst)
            rows.append([r.name, r.overall.benign.texts, _percent(r.overall.benign.share), named])
    if rows:
        few = [r.name for r in reports if r.overall.benign and r.overall.benign.texts < FEW]
        yield (
            "## False alarms on benign texts\n"
            + table(["model", "texts", "flagged", "most by"], rows)
            + _note("are benign", few)
        )


def _entities(reports: Sequence[ModelReport]) -> Iterable[str]:
    rows = [
        [own.entity, r.name, own.texts, own.spans, own.found,
         *(_short(own.exact[n]) for n in ("precision", "recall", "f1")), _short(own.overlapping["f1"])]
        for r in reports
        for own in r.overall.entities
    ]  # fmt: skip
    if rows:
        header = ["entity", "model", "texts", "spans", "found", "precision", "recall", "F1", "F1 overlapping"]
        yield "## Entities\n" + table(header, sorted(rows, key=lambda row: str(row[0])))


def _slices(reports: Sequence[ModelReport]) -> Iterable[str]:
    by_slice: dict[tuple[str, str], list[tuple[str, Part]]] = {}
    for r in reports:
        for part in r.slices:
            by_slice.setdefault((part.by, part.value), []).append((r.name, part))
    rows = [_slice_row(by, value, name, part) for (by, value), own in by_slice.items() for name, part in own]
    if rows:
        header = ["by", "slice", "model", "texts", "mean AP", "of categories", "benign", "flagged", "mean entity F1"]
        yield "## Slices\n" + table(header, rows)


def _slice_row(by: str, value: str, name: str, part: Part) -> list[object]:
    ranked = sum(bool(own.figures) for own in part.categories)
    benign = [part.benign.texts, _percent(part.benign.share)] if part.benign else [0, "–"]
    f1 = [own.exact["f1"].value for own in part.entities if own.spans]
    mean = sum(f1) / len(f1) if f1 else None
    return [by, value, name, part.texts, figure(part.mean_ap), ranked, *benign, figure(mean)]


def _note(why: str, few: Sequence[str]) -> str:
    """Return the line below a table that names the rows whose intervals rest on few texts; empty where none do."""
    named = ", ".join(dict.fromkeys(few))
    return f"\n\nIntervals too narrow, because fewer than ten texts {why}: {named}." if few else ""


def _short(found: Interval | None) -> str:
    if found is None or math.isnan(found.value):
        return "–"
    return f"{figure(found.value)} ({figure(found.low)}–{figure(found.high)})"


def _percent(share: Interval) -> str:
    return f"{share.value:.2%} ({share.low:.2%}–{share.high:.2%})"
