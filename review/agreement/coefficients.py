"""Chance-corrected agreement, with intervals from resampled items.

Every coefficient here is a function of sums over items, so that an item is one row of numbers, items with equal rows
are counted instead of kept, and a thousand resamples are one matrix product. Libraries that have the coefficients
compute them one at a time from a table of answers. With K values, the rows are

- of `nominal_row`: how many answers had each value, and the item's disagreement, for `alpha`, `fleiss` and `raw`;
- of `pair_row`: the K × K table of first against second answers, for `cohen`;
- of spans (review.agreement.spans): twice the matches, and the spans of both, for `f1`.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

RESAMPLES = 1000
#: Always the same draws: the same answers give the same page and the same file.
SEED = 20_260_101

Sums = NDArray[np.float64]
Coefficient = Callable[[Sums], Sums]
Row = tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Estimate:
    """A coefficient and its percentile interval of 95 %; `value` is None where it is not defined (nobody differed, and
    all gave one answer), the interval where there are too few items for one."""

    value: float | None
    low: float | None
    high: float | None
    items: int


def estimate(rows: Counter[Row], coefficient: Coefficient) -> Estimate:
    """Return the coefficient of the items, which `rows` counts, with an interval from resampled items."""
    items = rows.total()
    if not items:
        return Estimate(None, None, None, 0)
    ordered = sorted(rows)  # equal answers in another order draw the same
    table = np.array(ordered, dtype=np.float64)
    counts = np.array([rows[row] for row in ordered], dtype=np.float64)
    value = float(coefficient(counts @ table))
    if math.isnan(value):
        return Estimate(None, None, None, items)
    drawn = np.random.default_rng(SEED).multinomial(items, counts / items, size=RESAMPLES)
    found = coefficient(drawn.astype(np.float64) @ table)
    found = found[~np.isnan(found)]
    if items < 2 or not found.size:
        return Estimate(value, None, None, items)
    low, high = np.percentile(found, [2.5, 97.5])
    return Estimate(value, float(low), float(high), items)


def nominal_row(answers: Sequence[int], values: int) -> Row:
    """Return the row of an item with two or more answers, each a number below `values`."""
    counts = [0.0] * values
    for answer in answers:
        counts[answer] += 1
    number = len(answers)
    return (*counts, (number**2 - sum(count**2 for count in counts)) / (number - 1))


def pair_row(pairs: Iterable[tuple[int, int]], values: int) -> Row:
    """Return the row of an item whose answers, of one reviewer and of another, make these pairs."""
    cells = [0.0] * values**2
    for first, second in pairs:
        cells[first * values + second] += 1
    return tuple(cells)


def alpha(sums: Sums) -> Sums:
    """Return Krippendorff's alpha for nominal data; items may have different numbers of answers.

    K. Krippendorff, Computing Krippendorff's Alpha-Reliability (2011).
    """
    counts, disagreement = sums[..., :-1], sums[..., -1]
    answers = counts.sum(axis=-1)
    expected = (answers**2 - (counts**2).sum(axis=-1)) / (answers - 1)
    return _one_less(disagreement, expected)


def fleiss(sums: Sums) -> Sums:
    """Return Fleiss' kappa of items with equal numbers of answers.

    J. L. Fleiss, Measuring nominal scale agreement among many raters, Psychological Bulletin 76 (1971).
    """
    counts, disagreement = sums[..., :-1], sums[..., -1]
    answers = counts.sum(axis=-1)
    expected = answers - (counts**2).sum(axis=-1) / np.where(answers, answers, 1)
    return _one_less(disagreement, expected)


def raw(sums: Sums) -> Sums:
    """Return the share of pairs of answers to one item that are the same, each answer of the same weight."""
    return _one_less(sums[..., -1], sums[..., :-1].sum(axis=-1))


def cohen(sums: Sums) -> Sums:
    """Return Cohen's kappa of two reviewers.

    J. Cohen, A coefficient of agreement for nominal scales, Educational and Psychological Measurement 20 (1960).
    """
    values = math.isqrt(sums.shape[-1])
    table = sums.reshape(*sums.shape[:-1], values, values)
    pairs = table.sum(axis=(-2, -1))
    same = np.trace(table, axis1=-2, axis2=-1)
    by_chance = (table.sum(axis=-1) * table.sum(axis=-2)).sum(axis=-1) / np.where(pairs, pairs, 1)
    return _one_less(pairs - same, pairs - by_chance)


def f1(sums: Sums) -> Sums:
    """Return the F1 of spans, each pair of answers taken as prediction and truth in turn (which gives the same)."""
    matched, spans = sums[..., 0], sums[..., 1]
    return _one_less(spans - matched, spans)


def _one_less(found: Sums, expected: Sums) -> Sums:
    """Return 1 - found / expected, NaN where nothing is expected."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(expected > 0, 1 - found / expected, np.nan)
