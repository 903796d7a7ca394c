"""What the plots and tables of a report show, and what stays of those of an earlier run."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from matplotlib.figure import Figure

from feedback.evaluation.plots import COLOURS, write_plots
from feedback.evaluation.printing import markdown
from feedback.evaluation.report import model_report
from feedback.evaluation.rows import Row
from feedback.evaluation.scoring import Scored
from feedback.training.spans import TextSpan
from screening.categories import MODEL_CATEGORIES
from screening.findings import Span

SPAN = Span(0, 3, "PERSON", 1.0)


def _rows(categories: int, texts: int = 40) -> list[Row]:
    names = MODEL_CATEGORIES[:categories]
    return [Row("Ann", dict.fromkeys(names, i % 2), spans=(TextSpan(0, 3, "PERSON"),)) for i in range(texts)]


def _model(name: str, rows: Sequence[Row], *, finds: bool = False) -> Scored:
    """Return what a model says that ranks the categories of `rows`, or one that only finds spans."""
    names = () if finds else tuple(rows[0].labels)
    scores = np.random.default_rng(len(name)).random((len(rows), len(names)))
    found: list[tuple[Span, ...]] = [(SPAN,) if finds else ()] * len(rows)
    entities = ("PERSON",) if finds else ()
    return Scored(name, "1", names, entities, dict.fromkeys(names, 0.5), scores, found, np.ones(len(rows), dtype=bool))


@pytest.fixture
def drawn(monkeypatch: pytest.MonkeyPatch) -> dict[str, Figure]:
    """Keep the figures that are written, by the name of their file."""
    kept: dict[str, Figure] = {}
    real = Figure.savefig

    def savefig(figure: Figure, path: Path, **options: Any) -> None:
        kept[Path(path).name.split(".")[1]] = figure
        real(figure, path, **options)

    monkeypatch.setattr(Figure, "savefig", savefig)
    return kept


def _write(folder: Path, rows: Sequence[Row], scored: Sequence[Scored], kind: str = "png") -> None:
    write_plots(folder, rows, scored, [model_report(rows, one, seed=1) for one in scored], kind=kind)


@pytest.mark.parametrize("categories", [1, 2, 6, 12])
def test_no_legend_covers_bars_panels_or_labels(tmp_path: Path, drawn: dict[str, Figure], categories: int) -> None:
    rows = _rows(categories)
    _write(tmp_path, rows, [_model(name, rows) for name in ("default", "minilm-heads-1", "TF-IDF + LR")])
    assert set(drawn) == {"average_precision", "precision_recall", "reliability"}
    for name, figure in drawn.items():
        (legend,) = figure.legends
        box = legend.get_window_extent()
        assert box.x0 >= 0, name
        others = [axes.get_tightbbox() for axes in figure.axes if axes.get_visible()]
        others += [text.get_window_extent() for text in figure.texts]
        assert not any(box.overlaps(other) for other in others if other is not None), name


@pytest.mark.parametrize("categories", [1, 2, 5, 6, 8, 9])
def test_the_lowest_panel_of_each_column_has_numbers(tmp_path: Path, drawn: dict[str, Figure], categories: int) -> None:
    rows = _rows(categories)
    _write(tmp_path, rows, [_model("default", rows)])
    for name in ("precision_recall", "reliability"):
        panels = [axes for axes in drawn[name].axes if axes.get_visible()]
        assert len(panels) == categories
        for axes in panels[-4:]:
            assert any(label.get_visible() and label.get_text() for label in axes.get_xticklabels()), name


def test_a_model_without_a_bar_takes_no_room_and_is_in_no_legend(tmp_path: Path, drawn: dict[str, Figure]) -> None:
    rows = _rows(2)
    _write(tmp_path, rows, [_model("names", rows, finds=True), _model("seq", rows)])
    for name in ("average_precision", "precision_recall", "reliability"):
        (legend,) = drawn[name].legends
        assert [text.get_text() for text in legend.get_texts()] == ["seq"], name
    axes = drawn["average_precision"].axes[0]
    (bars,) = axes.containers[-1:]
    middles = [bar.get_y() + bar.get_height() / 2 for bar in bars]
    np.testing.assert_allclose(middles, axes.get_yticks())
    assert bars[0].get_facecolor()[:3] == pytest.approx(_rgb(COLOURS[1])), "its colour is that of the other plots"


def test_plots_of_an_earlier_run_are_removed(tmp_path: Path) -> None:
    rows = _rows(1)
    (tmp_path / "mine.png").write_bytes(b"")
    _write(tmp_path, rows, [_model("default", rows)], kind="png")
    _write(tmp_path, rows, [_model("default", rows)], kind="svg")
    assert {path.name for path in tmp_path.iterdir()} == {
        "mine.png", "average_precision.svg", "precision_recall.svg", "reliability.svg",
    }  # fmt: skip
    _write(tmp_path, rows[:2], [_model("default", rows[:2])])
    assert [path.name for path in tmp_path.iterdir()] == ["mine.png"]


def _rgb(colour: str) -> list[float]:
    return [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]


def _printed(rows: Sequence[Row], scored: Scored) -> str:
    return markdown([model_report(rows, scored, seed=1)], {})


def test_intervals_of_fewer_than_ten_texts_are_named_below_their_table() -> None:
    said = "Intervals too narrow, because fewer than ten texts have it, or lack it: harassment."
    few, enough = _rows(1, 18), _rows(1, 20)
    assert f"|\n\n{said}\n" in _printed(few, _model("default", few))
    assert "too narrow" not in _printed(enough, _model("default", enough))
    none = _rows(1, 4)
    assert "too narrow" not in _printed(none, _model("default", none)), "they have no figures"
    benign = [Row("fine", {"harassment": 0}, benign=True)] * 10
    assert "fewer than ten texts are benign: default." in _printed(benign[:9], _model("default", benign[:9]))
    assert "too narrow" not in _printed(benign, _model("default", benign))


def test_what_is_undefined_is_a_dash() -> None:
    rows = [Row("Ann", spans=())] * 3
    printed = _printed(rows, _model("names", rows, finds=True))
    (line,) = [line for line in printed.splitlines() if line.startswith("| PERSON")]
    cells = [cell.strip() for cell in line.strip("|").split("|")]
    assert cells[-4:] == ["0.000 (0.000–0.000)", "–", "–", "–"]
