"""Score an answer against the right one."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from review.models import Annotation, GoldenItem, SpanAnnotation
from review.models.annotations import Assistance

#: Two places of a label are one when their intersection is at least this share of their union.
SAME_PLACE = 0.5
Place = tuple[int, int, str]


@dataclass(frozen=True, slots=True)
class Score:
    """The parts of a score; None where nothing was expected."""

    verdict: bool
    categories: float | None
    spans: float | None

    @property
    def total(self) -> float:
        parts = [part for part in (float(self.verdict), self.categories, self.spans) if part is not None]
        return sum(parts) / len(parts)


def score_answer(*, golden: GoldenItem, answer: Annotation) -> Score:
    """Return how far `answer` is what `golden` expects.

    A blind answer that marks no place is not scored for places: its reviewer had none to judge.
    """
    found = [(s.start, s.end, s.label) for s in answer.spans.all() if s.change != SpanAnnotation.Change.REMOVED]
    looked = answer.assistance != Assistance.BLIND or bool(found)
    return Score(
        verdict=answer.outcome == golden.outcome,
        categories=_categories(golden.labels, answer.labels),
        spans=span_f1([(s, e, name) for s, e, name in golden.spans], found) if golden.spans and looked else None,
    )


def _categories(expected: Mapping[str, bool], given: Mapping[str, bool]) -> float | None:
    """Return the share that is right; a category left open counts as no."""
    if not expected:
        return None
    return sum(bool(given.get(name, False)) == value for name, value in expected.items()) / len(expected)


def span_f1(expected: Sequence[Place], found: Iterable[Place]) -> float:
    """Return the F1 of places, each matched once."""
    left, hits, number = list(expected), 0, 0
    for place in sorted(found):
        number += 1
        match = next((one for one in left if _is_same(one, place)), None)
        if match is not None:
            left.remove(match)
            hits += 1
    return 2 * hits / (len(expected) + number)


def _is_same(one: Place, other: Place) -> bool:
    common = min(one[1], other[1]) - max(one[0], other[0])
    union = max(one[1], other[1]) - min(one[0], other[0])
    return one[2] == other[2] and common > 0 and common / union >= SAME_PLACE
