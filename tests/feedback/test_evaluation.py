"""Figures that agree with scikit-learn and with sums by hand, over rows in every form we read."""

from __future__ import annotations

import dataclasses
import gzip
import json
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from matplotlib.cbook import STEP_LOOKUP_MAP
from matplotlib.figure import Figure
from sklearn.metrics import average_precision_score, f1_score, precision_score, recall_score, roc_auc_score

from feedback.evaluation.entities import entity_figures, not_found
from feedback.evaluation.figures import Ranked, draws, interval, intervals
from feedback.evaluation.held_out import HELD_OUT, folder_rows
from feedback.evaluation.plots import draw_curves
from feedback.evaluation.report import differences, model_report
from feedback.evaluation.rows import DataError, Row, read_rows
from feedback.evaluation.scoring import Scored, score
from feedback.training.data import read_moderation
from feedback.training.spans import TextSpan, read_spans
from feedback.training.traffic import replayed
from screening.categories import MODEL_CATEGORIES
from screening.findings import DEADLINE, Deadline, Prediction, Span


def _scored(scores: list[float], *, threshold: float = 0.5, name: str = "model") -> Scored:
    column = np.array(scores)[:, None]
    read = np.ones(len(scores), dtype=bool)
    return Scored(name, "1", ("violence",), (), {"violence": threshold}, column, [()] * len(scores), read)


def _rows(labels: Sequence[int], sources: str = "") -> list[Row]:
    slices = [{"source": s} for s in sources] or [{} for _ in labels]
    return [Row("text", {"violence": v}, benign=not v, slices=s) for v, s in zip(labels, slices, strict=True)]


def test_figures_are_those_of_scikit_learn_in_every_resample() -> None:
    chance = np.random.default_rng(3)
    truth = chance.random(300) < 0.25
    scores = np.round(np.clip(truth * 0.3 + chance.random(300) * 0.7, 0, 1), 2)  # rounded: ties
    ranked = Ranked(scores, truth, threshold=0.6)
    own = chance.random(300) + 0.1
    weighed = Ranked(scores, truth, threshold=0.6, weights=own)
    for drawn in (np.ones(300), *draws(300, seed=1, resamples=3)):
        weights = drawn * own
        found = weighed.figures(drawn)
        assert found == pytest.approx(ranked.figures(weights))
        called = scores >= 0.6
        assert found["ap"] == pytest.approx(average_precision_score(truth, scores, sample_weight=weights))
        assert found["auroc"] == pytest.approx(roc_auc_score(truth, scores, sample_weight=weights))
        assert found["precision"] == pytest.approx(precision_score(truth, called, sample_weight=weights))
        assert found["recall"] == pytest.approx(recall_score(truth, called, sample_weight=weights))
        assert found["f1"] == pytest.approx(f1_score(truth, called, sample_weight=weights))


def test_calibration_error_is_the_mean_gap_of_bins() -> None:
    scores = (np.arange(100) + 0.5) / 100
    truth = np.arange(100) % 10 < np.repeat([0, 0, 1, 3, 5, 5, 8, 9, 10, 10], 10)
    by_hand = [(0.05 + i / 10, share, 10) for i, share in enumerate([0, 0, 0.1, 0.3, 0.5, 0.5, 0.8, 0.9, 1, 1])]
    ranked = Ranked(scores, truth, threshold=0.5)
    assert ranked.figures(np.ones(100))["ece"] == pytest.approx(np.mean([abs(s - share) for s, share, _ in by_hand]))
    np.testing.assert_allclose(ranked.reliability(), by_hand)


def test_texts_of_one_score_are_in_one_bin_in_whatever_order_they_come() -> None:
    scores = np.repeat([0.1, 0.9], 50)
    truth = np.concatenate([np.arange(50) < 10, np.arange(50) < 40])  # one in five, four in five
    for order in (np.arange(100), np.random.default_rng(1).permutation(100)):
        ranked = Ranked(scores[order], truth[order], threshold=0.5)
        assert ranked.figures(np.ones(100))["ece"] == pytest.approx(0.1)
        np.testing.assert_allclose(ranked.reliability(), [(0.1, 0.2, 50), (0.9, 0.8, 50)])


def test_shuffled_lines_give_the_same_figures() -> None:
    chance = np.random.default_rng(5)
    truth = chance.random(400) < 0.3
    scores = np.round(np.clip(truth * 0.3 + chance.random(400) * 0.7, 0, 1), 1)
    first, again = (
        Ranked(scores[order], truth[order], threshold=0.5) for order in (np.arange(400), chance.permutation(400))
    )
    assert first.figures(np.ones(400)) == pytest.approx(again.figures(np.ones(400)))
    np.testing.assert_allclose(first.reliability(), again.reliability())


@pytest.mark.parametrize("spread", [0.6, 0.0])  # a model that knows something, and one that says the same of all
def test_the_area_under_the_drawn_curve_is_the_average_precision(spread: float) -> None:
    chance = np.random.default_rng(2)
    truth = [int(i % 4 == 0) for i in range(80)]
    scored = _scored(list(0.2 + spread * np.array(truth) * chance.random(80)))
    axes = Figure().subplots()
    draw_curves(axes, "violence", _rows(truth), [scored])
    (line,) = axes.lines
    x, y = STEP_LOOKUP_MAP[line.get_drawstyle()](*np.asarray(line.get_data(), dtype=float))
    ap = model_report(_rows(truth), scored, seed=1).overall.categories[0].figures["ap"].value
    assert np.sum(np.diff(x) * y[1:]) == pytest.approx(ap)
    assert (x.min(), x.max()) == (0, 1)


def test_intervals_hold_the_figure_and_narrow_with_texts() -> None:
    chance = np.random.default_rng(0)
    widths = []
    for texts in (60, 1_500):
        truth = chance.random(texts) < 0.3
        ranked = Ranked(np.clip(truth * 0.3 + chance.random(texts) * 0.7, 0, 1), truth, threshold=0.5)
        found, _ = intervals(ranked, draws(texts, seed=2))
        assert all(one.low <= one.value <= one.high for name, one in found.items() if name != "ece")
        widths.append(found["ap"].high - found["ap"].low)
    assert widths[1] < widths[0] / 2
    assert np.isnan(interval(0.5, [float("nan")]).low)


def test_too_few_of_a_label_give_counts_and_no_figures() -> None:
    report = model_report(_rows([1, 1, 1, 1, 0, 0, 0, 0, 0]), _scored([0.9] * 9), seed=1)
    (figures,) = report.overall.categories
    assert (figures.known, figures.positive, figures.figures) == (9, 4, {})


def test_slices_have_their_own_figures_and_false_alarms() -> None:
    labels = [1] * 6 + [0] * 6 + [1] * 6 + [0] * 6
    scores = [0.9] * 6 + [0.1] * 6 + [0.9] * 3 + [0.2] * 3 + [0.8] * 3 + [0.1] * 3
    report = model_report(_rows(labels, "a" * 12 + "b" * 12), _scored(scores), seed=1)
    first, second = report.slices
    assert (first.by, first.value, first.texts) == ("source", "a", 12)
    assert first.categories[0].figures["ap"].value == 1.0
    assert second.categories[0].figures["recall"].value == 0.5
    assert report.overall.benign is not None
    assert (report.overall.benign.texts, report.overall.benign.share.value) == (12, 0.25)
    assert report.overall.benign.alarms == {"violence": 3}


def test_a_model_does_not_differ_from_itself_and_a_better_one_does() -> None:
    chance = np.random.default_rng(0)
    truth = [int(i % 2) for i in range(200)]
    noise = chance.random(200)
    worse = _scored(list(np.clip(0.2 * np.array(truth) + noise * 0.8, 0, 1)))
    better = _scored(list(np.clip(0.5 * np.array(truth) + noise * 0.5, 0, 1)))
    same = differences(_rows(truth), worse, worse, seed=4)["violence"]
    assert (same.low, same.value, same.high) == (0, 0, 0)
    gain = differences(_rows(truth), worse, better, seed=4)["violence"]
    assert 0 < gain.low < gain.value < gain.high


def test_entities_count_exactly_and_by_overlap_where_somebody_looked() -> None:
    rows = [
        Row("Ann and Bob Lee in Rome", spans=(TextSpan(0, 3, "PERSON"), TextSpan(8, 15, "PERSON"))),
        Row("Bob", spans=(TextSpan(0, 3, "PERSON"),), annotated=frozenset({"PERSON"})),
        Row("Ann", spans=(), annotated=frozenset({"LOCATION"})),
        Row("Ann"),
    ]
    found = [[Span(0, 3, "PERSON", 1.0), Span(8, 11, "PERSON", 1.0), Span(19, 23, "PERSON", 1.0)], [], [], []]
    found[2] = found[3] = [Span(0, 3, "PERSON", 1.0)]
    figures = entity_figures(rows, found, "PERSON", draws(4, seed=1))
    assert figures is not None
    assert (figures.texts, figures.spans, figures.found) == (2, 3, 3)
    exact = {name: one.value for name, one in figures.exact.items()}
    assert exact == pytest.approx({"precision": 1 / 3, "recall": 1 / 3, "f1": 1 / 3})
    overlapping = {name: one.value for name, one in figures.overlapping.items()}
    assert overlapping == pytest.approx({"precision": 2 / 3, "recall": 2 / 3, "f1": 2 / 3})
    assert entity_figures(rows[3:], found[3:], "PERSON", draws(1, seed=1)) is None


def test_false_spans_count_where_there_is_no_true_one() -> None:
    rows = [Row("Monday", spans=()), Row("fine", spans=()), Row("Ann", spans=(), annotated=frozenset())]
    found = [[Span(0, 6, "PERSON", 1.0)], [], [Span(0, 3, "PERSON", 1.0)]]
    figures = entity_figures(rows, found, "PERSON", draws(3, seed=1))
    assert figures is not None
    assert (figures.texts, figures.spans, figures.found) == (2, 0, 1), "in the third nobody looked for anything"
    assert figures.exact["precision"].value == 0
    assert np.isnan([figures.exact["recall"].value, figures.exact["f1"].value, figures.exact["f1"].high]).all()
    quiet = entity_figures(rows, [[], [], []], "PERSON", draws(3, seed=1))
    assert quiet is not None
    assert (quiet.spans, quiet.found) == (0, 0)


def test_labels_that_a_model_does_not_have_are_named_with_a_hint() -> None:
    spans = (TextSpan(0, 3, "PER"), TextSpan(8, 11, "PER"), TextSpan(20, 25, "LOC"), TextSpan(0, 3, "DATE_TIME"))
    rows = [Row("text", spans=spans), Row("text", spans=(), annotated=frozenset({"PERSNO"})), Row("text")]
    known = ("PERSON", "LOCATION", "DATE_TIME")
    said = not_found(rows, "mine", known)
    assert "does not find 'PER' (did you mean 'PERSON'?), 'LOC' (did you mean 'LOCATION'?), 'PERSNO' (did" in said
    assert said.endswith("It finds PERSON, LOCATION, DATE_TIME.")
    assert not_found(rows, "mine", (*known, "PER", "LOC", "PERSNO")) == ""
    assert "'EMAIL': such spans" in not_found([Row("x", spans=(TextSpan(0, 1, "EMAIL"),))], "mine", known)
    assert not_found(rows, "mine", ()).endswith("It finds no spans.")
    many = [Row("x", spans=tuple(TextSpan(0, 1, f"L{i}") for i in range(20)))]
    assert "'L7' and 12 more" in not_found(many, "mine", known)


def test_a_text_that_stands_for_many_counts_as_often() -> None:
    chance = np.random.default_rng(6)
    truth = [int(v) for v in chance.random(120) < 0.4]
    scores = [float(s) for s in np.round(np.clip(0.3 * np.array(truth) + chance.random(120) * 0.7, 0, 1), 2)]
    times = chance.integers(1, 4, 120)
    spans = (TextSpan(0, 3, "PERSON"),)
    rows = [
        Row("Ann", {"violence": v}, not v, spans if v else (), weight=float(n))
        for v, n in zip(truth, times, strict=True)
    ]
    once = dataclasses.replace(_scored(scores), entities=("PERSON",), spans=[(Span(0, 3, "PERSON", 1.0),)] * 120)
    copied = [dataclasses.replace(row, weight=1.0) for row, n in zip(rows, times, strict=True) for _ in range(n)]
    again = dataclasses.replace(once, scores=np.repeat(once.scores, times)[:, None], read=np.ones(len(copied), bool))
    again = dataclasses.replace(again, spans=[once.spans[0]] * len(copied))
    weighted, repeated = (model_report(r, s, seed=1).overall for r, s in ((rows, once), (copied, again)))
    for name in ("ap", "auroc", "precision", "recall", "f1"):
        ours, theirs = (part.categories[0].figures[name].value for part in (weighted, repeated))
        assert ours == pytest.approx(theirs), name
    assert weighted.benign is not None
    assert repeated.benign is not None
    assert weighted.benign.share.value == pytest.approx(repeated.benign.share.value)
    assert weighted.benign.share.low < weighted.benign.share.value < weighted.benign.share.high
    assert weighted.entities[0].exact["precision"].value == pytest.approx(repeated.entities[0].exact["precision"].value)
    ranked = Ranked(np.repeat([0.2, 0.8], 5), np.arange(10) % 5 < 1, threshold=0.5, weights=np.arange(10) % 5 + 1.0)
    np.testing.assert_allclose(ranked.reliability(), [(0.2, 1 / 15, 5), (0.8, 1 / 15, 5)])


class _Tired:
    """A model that finishes short texts only."""

    version, categories = "tired", ("violence",)

    def predict(self, texts: Sequence[str], *, deadlines: Sequence[Deadline] = ()) -> list[Prediction]:
        return [Prediction({"violence": 0.9}) if len(t) < 9 else Prediction({}, unscanned=DEADLINE) for t in texts]


def test_texts_that_a_model_did_not_finish_are_counted_and_nothing_else() -> None:
    rows = [Row("short", {"violence": 0}, benign=True), Row("much too long", {"violence": 0}, benign=True)]
    seen: list[int] = []
    report = model_report(rows, score(_Tired(), rows, name="tired", progress=seen.append), seed=1)
    assert (report.overall.texts, report.overall.unscanned, sum(seen)) == (2, 1, 2)
    assert report.overall.benign is not None
    assert (report.overall.benign.texts, report.overall.benign.share.value) == (1, 1.0)


def _file(path: Path, *lines: object) -> Path:
    data = "".join((line if isinstance(line, str) else json.dumps(line)) + "\n" for line in lines).encode()
    path.write_bytes(gzip.compress(data) if path.suffix == ".gz" else data)
    return path


def test_labels_spans_and_our_exports_are_read(tmp_path: Path) -> None:
    moderation = {"text": "a", "labels": {"hate": 1, "violence": False}, "flag": None, "source": "s", "lang": "en"}
    mask = [1] + [0] * 12
    exported = {"prompt": "p", "response": "r", "labels": [1.0] + [0.0] * 12, "label_mask": mask, "sample_weight": 50.0}
    span = {"start": 1, "end": 3, "label": "PERSON", "text": "in"}
    spans = {"text": "🙂in", "spans": [span], "offset_unit": "codepoint"}
    partly = {"text": "x", "spans": [], "annotated_types": ["PERSON"]}
    safe = {"text": "fine", "flag": 0, "kind": "response"}
    foul = {"text": "damn", "flag": 0, "labels": {"profanity": 1}}
    nobody = {"text": "reviewed by no chance", "flag": 0, "sample_weight": 0.0}
    path = _file(tmp_path / "all.jsonl.gz", moderation, exported, "", spans, partly, safe, foul, nobody)
    rows = read_rows(path)
    assert rows[0].labels == {"hate": 1, "violence": 0}
    assert rows[0].slices == {"source": "s", "language": "en", "length": "under 100"}
    assert (rows[1].text, rows[1].labels, rows[1].slices["kind"]) == ("r", {"harassment": 1}, "response")
    assert (rows[2].spans, rows[2].annotated) == ((TextSpan(1, 3, "PERSON"),), None)
    assert (rows[3].spans, rows[3].annotated) == ((), frozenset({"PERSON"}))
    assert [row.weight for row in rows] == [1, 50, 1, 1, 1, 1], "what stands for no text is left out"
    with pytest.raises(DataError, match="take that field out"):
        read_rows(_file(tmp_path / "none.jsonl", nobody))
    assert [row.benign for row in rows] == [False, False, False, False, True, False]
    every = _file(tmp_path / "every.jsonl", {"text": "a", "labels": dict.fromkeys(MODEL_CATEGORIES, 0)})
    assert read_rows(every)[0].benign


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("{", "is no JSON object; write one object a line, UTF-8"),
        ('"secret"', "is no JSON object"),
        ('[{"text": "secret", "flag": 0}]', "is a JSON array or part of one; write one object a line, UTF-8"),
        ({"labels": {"hate": 1}}, "missing or empty"),
        ({"text": "secret"}, "none of `labels`, `spans` and `flag`"),
        ({"text": "secret", "labels": {"hat": 1}}, "unknown category 'hat'; did you mean 'hate'"),
        ({"text": "secret", "labels": {"hate": 2}}, "labels.hate"),
        ({"text": "secret", "labels": [1.0]}, "label_mask"),
        ({"text": "secret", "spans": [{"start": 2, "end": 99, "label": "PERSON"}]}, "does not lie inside"),
        ({"text": "secret", "spans": [{"start": 0, "label": "PERSON"}]}, "spans.0.end"),
        ({"text": "secret", "flag": 0, "sample_weight": -1}, "sample_weight"),
        ('{"text": "secret", "flag": 0, "sample_weight": Infinity}', "sample_weight"),
    ],
)
def test_a_bad_line_is_named_and_never_quoted(tmp_path: Path, line: object, why: str) -> None:
    path = _file(tmp_path / "rows.jsonl", {"text": "fine", "flag": 0}, line)
    with pytest.raises(DataError) as raised:
        read_rows(path)
    assert f"{path}, line 2: " in str(raised.value)
    assert why in str(raised.value)
    assert "secret" not in str(raised.value)


def test_a_file_that_is_empty_or_cut_off_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no rows"):
        read_rows(_file(tmp_path / "empty.jsonl"))


def _flipped(data: bytes) -> bytes:
    return data[:200] + bytes([data[200] ^ 0xFF]) + data[201:]


@pytest.mark.parametrize("broken", [lambda data: data[:-40], _flipped, lambda data: b"{}" + data])
def test_a_gzip_file_that_is_cut_off_or_damaged_is_named(tmp_path: Path, broken: Callable[[bytes], bytes]) -> None:
    named = dict.fromkeys(("id", "source", "kind", "licence", "response"), "x")
    known = {"flag": 0, "labels": {}, "spans": [], "annotated_types": "all"}
    lines = [named | known | {"text": f"text {i * 7919 % 1000}"} for i in range(500)]
    path = _file(tmp_path / "moderation_train.jsonl.gz", *lines)
    path.write_bytes(broken(path.read_bytes()))
    with pytest.raises(DataError, match="no whole gzip file"):
        read_rows(path)
    with pytest.raises(DataError, match="no whole gzip file"):
        folder_rows(tmp_path, HELD_OUT, seed=7)
    for read in (read_moderation, read_spans, partial(replayed, seed=7)):
        with pytest.raises(ValueError, match="no whole gzip file"):
            read(path)


def test_a_byte_order_mark_is_no_part_of_the_first_line(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_bytes(b"\xef\xbb\xbf" + b'{"text": "fine", "flag": 0}\n')
    assert [row.text for row in read_rows(path)] == ["fine"]


@pytest.mark.parametrize(
    ("data", "why"),
    [
        ('{"text": "café", "flag": 0}\n'.encode("latin-1"), "is not UTF-8"),
        ('{"text": "fine", "flag": 0}\n'.encode("utf-16"), "is not UTF-8"),
        (b'[\n {"text": "fine", "flag": 0}\n]\n', "is a JSON array or part of one"),
    ],
)
def test_another_form_of_file_is_told_what_is_wanted(tmp_path: Path, data: bytes, why: str) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_bytes(data)
    for read in (read_rows, read_moderation, read_spans, partial(replayed, seed=7)):
        with pytest.raises(ValueError, match=f"line 1: {why}; write one object a line, UTF-8"):
            read(path)
