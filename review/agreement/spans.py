"""Spans of two answers to one item, compared."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from itertools import combinations

#: Label, start, end, in code points.
Span = tuple[str, int, int]
#: Twice the spans that match exactly, twice those that match by overlapping, spans of both answers.
Matches = tuple[int, int, int]


def compare(answers: Sequence[Collection[Span]], label: str | None = None) -> Matches:
    """Return the matches over all pairs of answers, of spans of one label or of all; a match has one label."""
    exact = overlapping = spans = 0
    for first, second in combinations([_of(answer, label) for answer in answers], 2):
        exact += 2 * len(first & second)
        overlapping += 2 * sum(
            matching([s[1:] for s in first if s[0] == name], [s[1:] for s in second if s[0] == name])
            for name in {span[0] for span in first}
        )
        spans += len(first) + len(second)
    return exact, overlapping, spans


def _of(answer: Collection[Span], label: str | None) -> set[Span]:
    return {span for span in answer if label is None or span[0] == label}


def matching(first: Sequence[tuple[int, int]], second: Sequence[tuple[int, int]]) -> int:
    """Return how many of `first` and `second` can be paired, each once, so that those of a pair share a code point.

    The span that ends first overlaps all others that begin before its end. Of these the one that ends first overlaps
    the fewest that are left, so that pairing the two is never worse than another choice.
    """
    left = sorted([(end, start, 0) for start, end in first] + [(end, start, 1) for start, end in second])
    pairs = 0
    while left:
        end, start, side = left.pop(0)
        other = next((span for span in left if span[2] != side and span[1] < end and start < span[0]), None)
        if other is not None:
            left.remove(other)
            pairs += 1
    return pairs
