"""Severe texts open covered: how long they are and what was found in them, before the words themselves.

What is covered has the attribute `hidden`, which browsers and screen readers obey without any style sheet.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from django.utils.safestring import mark_safe

from review.models import ReviewItem
from review.models.wellness import CoverFrom
from review.segments import kind_of
from review.wellness import comfort_of
from webapp.accounts.models import Membership
from webapp.interception.models import Finding

HIDES = mark_safe(" hidden data-covered")  # a constant
BLOCKS = 16


@dataclass(frozen=True, slots=True)
class Quote:
    """A finding without its words. `characters` is 0 when the whole text was judged."""

    category: str
    kind: str
    score: float
    where: str
    characters: int

    @property
    def blocks(self) -> str:
        return "█" * min(self.characters, BLOCKS)


@dataclass(frozen=True, slots=True)
class Cover:
    """What is told of an item whose texts are covered."""

    characters: int
    words: int
    quotes: list[Quote]


def is_covered(*, item: ReviewItem, membership: Membership, blind: bool) -> bool:
    """Whether an item's texts open covered for the member.

    Of what is answered blind all are covered, or none: a cover must not tell what the machine thinks.
    """
    cover_from = comfort_of(membership).cover_from
    return cover_from < CoverFrom.NEVER if blind else item.severity >= cover_from


def cover_of(output: str | None, findings: Iterable[tuple[Finding, str]]) -> Cover:
    """Return the cover of an output and what was found, each with the words for its place."""
    text = output or ""
    quotes = [
        Quote(
            category=finding.category,
            kind=kind_of(finding),
            score=finding.score,
            where=where,
            characters=(finding.end or 0) - (finding.start or 0),
        )
        for finding, where in findings
    ]
    return Cover(characters=len(text), words=len(text.split()), quotes=quotes)
