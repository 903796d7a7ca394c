"""Scores are calibrated to frequencies, and the thresholds that a model recommends follow from them."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from feedback.training.calibration import calibrate
from feedback.training.thresholds import LEFT_OUT_ALARM, Scored, recommend
from workers.runtimes.heads import Thresholds


def test_calibration_brings_scores_to_frequencies() -> None:
    chance = np.random.default_rng(0)
    logits = chance.normal(size=4000)
    truth = chance.random(4000) < 1 / (1 + np.exp(-(1.5 * logits - 1)))
    scale, shift = calibrate(logits, truth.astype(float), np.ones(4000))
    assert (scale, shift) == pytest.approx((1.5, -1), abs=0.15)
    assert calibrate(logits, np.zeros(4000), np.ones(4000)) == (1.0, 0.0)


def _overlapping(chance: np.random.Generator, spread: float = 0.15) -> Scored:
    """A category that 500 texts are of, with scores that overlap those of benign answers, and one that none is of."""
    value = np.stack([np.repeat([1.0, 0.0, 0.0], 500), np.zeros(1500)], axis=1)
    scores = np.clip(np.where(value > 0, 0.8, 0.2) + chance.normal(scale=spread, size=value.shape), 0, 1)
    return Scored(scores, value, np.ones_like(value), np.arange(1500) >= 1000, np.arange(1500))


def test_thresholds_keep_benign_answers_out() -> None:
    scored = _overlapping(np.random.default_rng(0))
    found = recommend(scored, seed=0)
    first, never = found.thresholds
    benign = scored.scores[scored.benign]
    for name, promise in found.promises.items():
        limits = [getattr(first, name), getattr(never, name)]
        assert promise.left_out + promise.error <= LEFT_OUT_ALARM[name]
        assert (benign >= limits).any(axis=1).mean() <= LEFT_OUT_ALARM[name]
    assert (benign >= [first.block, never.block]).any(axis=1).mean() <= 0.001
    assert first.flag < first.hold < first.block
    assert (scored.scores[:500, 0] >= first.flag).mean() > 0.8
    assert never == Thresholds(watch=0.99, flag=0.99, hold=0.99, block=0.99), "no alarm in it was right"


def test_who_would_rather_see_too_much_finds_more() -> None:
    scored = _overlapping(np.random.default_rng(0), spread=0.3)
    found = recommend(scored, seed=0)
    first = found.thresholds[0]
    assert first.watch is not None
    recall, alarms = (
        [(scores >= limit).mean() for limit in (first.watch, first.flag)]
        for scores in (scored.scores[:500, 0], scored.scores[scored.benign, 0])
    )
    assert recall[0] > recall[1] + 0.1
    assert LEFT_OUT_ALARM["watch"] >= alarms[0] > alarms[1]


def test_one_benign_answer_does_not_decide_a_threshold() -> None:
    scored = _overlapping(np.random.default_rng(0))
    before = recommend(scored, seed=0).thresholds[0].flag
    scored.scores[1200, 0] = 0.999
    assert recommend(scored, seed=0).thresholds[0].flag == pytest.approx(before, abs=0.03)


def test_no_category_falls_silent_for_the_others() -> None:
    chance = np.random.default_rng(0)
    value = np.zeros((3000, 4))
    value[:2000, 0] = np.repeat([1, 0], 1000)
    value[:2000, 1:] = value[:2000, :1]
    logits = chance.normal(scale=1.0, size=value.shape) + np.where(value > 0, [0.5, 3, 3, 3], -3)
    scored = Scored(1 / (1 + np.exp(-logits)), value, np.ones_like(value), np.arange(3000) >= 2000, np.arange(3000))
    hard = recommend(scored, seed=0).thresholds[0].flag
    assert (scored.scores[:1000, 0] >= hard).mean() > 0.2


def test_a_benign_answer_costs_more_where_each_template_has_alarms_of_its_own() -> None:
    chance = np.random.default_rng(0)
    value = np.repeat([1.0, 0.0], 1000)[:, None].repeat(6, axis=1)
    template = np.repeat(np.arange(50), 40)
    # All texts of a template score nearly the same, so that those left out are worse than those looked at.
    logits = np.where(value > 0, 3.0, -3.0) + chance.normal(scale=1.6, size=(50, 6))[template]
    scored = Scored(1 / (1 + np.exp(-logits)), value, np.ones_like(value), value[:, 0] == 0, template)
    found = recommend(scored, seed=0)
    promise = found.promises["flag"]
    assert promise.left_out + promise.error <= LEFT_OUT_ALARM["flag"]
    alone = recommend(dataclasses.replace(scored, groups=np.arange(2000)), seed=0)
    assert alone.promises["flag"].price < promise.price, "with the template known to the choice there is less to fear"
    assert sum(limit.flag for limit in alone.thresholds) < sum(limit.flag for limit in found.thresholds)
