"""Figures that agree with scikit-learn and with sums by hand, over rows in every form we read."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np
import pytest
from matplotlib.cbook import STEP_LOOKUP_MAP
from matplotlib.figure import Figure
from sklearn.metrics import average_precision_score, f1_score, precision_score, recall_score, roc_auc_score

from feedback.evaluation.entities import entity_figures, not_found
from feedback.evaluation.figures import Ranked, draws, interval, intervals
from feedback.evaluation.plots import draw_curves
from feedback.evaluation.report import differences, model_report
from feedback.evaluation.rows import Row
from feedback.evaluation.scoring import Scored, score
from feedback.training.spans import TextSpan
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


def test_a_span_that_is_listed_twice_is_one() -> None:
    spans = (TextSpan(0, 3, "PERSON"), TextSpan(0, 3, "PERSON"), TextSpan(8, 11, "PERSON"))
    rows = [Row("Ann and Bob", spans=spans)]
    figures = entity_figures(rows, [[Span(0, 3, "PERSON", 1.0)] * 2], "PERSON", draws(1, seed=1))
    assert figures is not None
    assert (figures.spans, figures.found) == (2, 1)
    assert (figures.exact["recall"].value, figures.exact["precision"].value) == (0.5, 1.0)
    assert (figures.overlapping["recall"].value, figures.overlapping["precision"].value) == (0.5, 1.0)


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
