"""Coefficients of agreement against published worked examples, against scikit-learn, and against each other."""

from __future__ import annotations

from collections import Counter
from itertools import permutations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import cohen_kappa_score

from review.agreement.coefficients import Estimate, Row, alpha, cohen, estimate, f1, fleiss, nominal_row, pair_row, raw
from review.agreement.spans import compare, matching

#: J. L. Fleiss (1971) in the form of en.wikipedia.org/wiki/Fleiss'_kappa: 14 raters, 10 subjects, 5 values.
FLEISS = [
    (0, 0, 0, 0, 14),
    (0, 2, 6, 4, 2),
    (0, 0, 3, 5, 6),
    (0, 3, 9, 2, 0),
    (2, 2, 8, 1, 1),
    (7, 7, 0, 0, 0),
    (3, 2, 6, 3, 0),
    (2, 5, 3, 2, 2),
    (6, 5, 2, 1, 0),
    (0, 2, 2, 3, 7),
]
#: K. Krippendorff (2011), section C: four observers, twelve units, five values, some missing.
KRIPPENDORFF = """
1 2 3 3 2 1 4 1 2 . . .
1 2 3 3 2 2 4 1 2 5 . 3
. 3 3 3 2 3 4 2 2 5 1 .
1 2 3 3 2 4 4 1 2 5 1 .
"""
#: The same paper, section A: two observers, ten units, two values.
KRIPPENDORFF_BINARY = """
0 1 0 0 0 0 0 0 1 0
1 1 1 0 0 1 0 0 0 0
"""


def units(table: str) -> list[list[int]]:
    rows = [line.split() for line in table.strip().splitlines()]
    return [[int(cell) for cell in column if cell != "."] for column in zip(*rows, strict=True)]


def nominal(items: list[list[int]], values: int) -> Counter[Row]:
    return Counter(nominal_row(answers, values) for answers in items if len(answers) > 1)


def pairs(table: list[list[int]]) -> Counter[Row]:
    """Return one item for each pair that a table of first against second answers counts."""
    rows: Counter[Row] = Counter()
    for first, line in enumerate(table):
        for second, number in enumerate(line):
            rows[pair_row([(first, second)], len(table))] += number
    return rows


def value(found: Estimate) -> float:
    assert found.value is not None
    return found.value


def test_fleiss_kappa_of_his_example() -> None:
    answers = [[number for number, count in enumerate(row) for _ in range(count)] for row in FLEISS]
    assert value(estimate(nominal(answers, 5), fleiss)) == pytest.approx(0.20993, abs=5e-6)


def test_krippendorff_s_alpha_of_his_examples() -> None:
    assert value(estimate(nominal(units(KRIPPENDORFF), 6), alpha)) == pytest.approx(0.743, abs=5e-4)
    assert value(estimate(nominal(units(KRIPPENDORFF_BINARY), 2), alpha)) == pytest.approx(0.095, abs=5e-4)


@pytest.mark.parametrize(
    ("table", "kappa"),
    [
        ([[20, 5], [10, 15]], 0.4),  # en.wikipedia.org/wiki/Cohen's_kappa
        ([[45, 15], [25, 15]], 0.1304),  # the two beside each other there
        ([[25, 35], [5, 35]], 0.2593),
        ([[88, 14, 18], [10, 40, 10], [2, 6, 12]], 0.4915),  # J. Cohen (1960), table 1, per 200
    ],
)
def test_cohen_s_kappa_of_published_examples(table: list[list[int]], kappa: float) -> None:
    assert value(estimate(pairs(table), cohen)) == pytest.approx(kappa, abs=5e-4)


ANSWERS = st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3)), min_size=2, max_size=30)


@given(ANSWERS)
@settings(max_examples=60, deadline=None)
def test_cohen_s_kappa_is_scikit_learn_s(answers: list[tuple[int, int]]) -> None:
    first, second = zip(*answers, strict=True)
    found = estimate(Counter(pair_row([pair], 4) for pair in answers), cohen)
    if len({*first, *second}) == 1:
        assert found.value is None
    else:
        assert value(found) == pytest.approx(cohen_kappa_score(first, second))


@given(st.lists(st.lists(st.integers(0, 2), min_size=3, max_size=3), min_size=2, max_size=20))
@settings(max_examples=60, deadline=None)
def test_alpha_is_fleiss_kappa_corrected_for_few_answers(answers: list[list[int]]) -> None:
    """Krippendorff (2011): where nothing is missing, alpha = 1 - (1 - kappa) (n - 1) / n, for n answers."""
    rows, number = nominal(answers, 3), 3 * len(answers)
    kappa = estimate(rows, fleiss).value
    if kappa is not None:
        assert value(estimate(rows, alpha)) == pytest.approx(1 - (1 - kappa) * (number - 1) / number)


def test_what_cannot_be_said_is_not_said() -> None:
    assert estimate(Counter(), alpha) == Estimate(None, None, None, 0)
    same = nominal([[1, 1]] * 5, 2)
    assert estimate(same, alpha) == estimate(same, fleiss) == Estimate(None, None, None, 5)
    assert estimate(same, raw) == Estimate(1.0, 1.0, 1.0, 5)
    assert estimate(nominal([[0, 1]], 2), alpha) == Estimate(0.0, None, None, 1)


def test_the_interval_is_of_items_and_the_same_each_time() -> None:
    answers = [[0, 0]] * 60 + [[1, 1]] * 20 + [[0, 1]] * 20
    once = estimate(nominal(answers, 2), raw)
    assert once == estimate(nominal(answers[::-1], 2), raw)
    assert (once.value, once.low is not None and once.high is not None) == (0.8, True)
    # The normal approximation of a share of 100: 0.8 ± 0.078.
    assert once.low == pytest.approx(0.722, abs=0.015)
    assert once.high == pytest.approx(0.878, abs=0.015)


def test_spans_match_exactly_or_by_overlapping() -> None:
    first = {("PERSON", 0, 4), ("EMAIL", 10, 20), ("PERSON", 30, 40)}
    second = {("PERSON", 0, 4), ("EMAIL", 12, 25), ("EMAIL", 30, 40)}
    assert compare([first, second]) == (2, 4, 6)
    assert compare([first, second], "EMAIL") == (0, 2, 3)
    assert value(estimate(Counter([(2, 6)]), f1)) == pytest.approx(1 / 3)
    assert compare([first, set()]) == (0, 0, 3)
    assert compare([first, first, second]) == (6 + 2 + 2, 6 + 4 + 4, 18)
    assert estimate(Counter([(0.0, 0.0)]), f1).value is None


SPANS = st.lists(st.tuples(st.integers(0, 9), st.integers(1, 5)).map(lambda s: (s[0], s[0] + s[1])), max_size=5)


@given(SPANS, SPANS)
@settings(max_examples=80, deadline=None)
def test_as_many_spans_are_paired_as_can_be(first: list[tuple[int, int]], second: list[tuple[int, int]]) -> None:
    short, long = sorted((first, second), key=len)
    best = max(
        sum(a[0] < b[1] and b[0] < a[1] for a, b in zip(short, chosen, strict=True))
        for chosen in permutations(long, len(short))
    )
    assert matching(first, second) == matching(second, first) == best
