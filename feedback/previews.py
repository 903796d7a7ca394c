"""What a version would hold if it were frozen now."""

from __future__ import annotations

from dataclasses import dataclass

from django.utils import timezone

from feedback.filters import Filters
from feedback.membership import plan
from feedback.selectors import category_counts, decided_items, outcome_counts
from feedback.splits import SHARES
from webapp.accounts.models import Project

#: Up to here the splits are worked out, which reads every text; beyond, their shares are expected.
EXACT = 500


@dataclass(frozen=True, slots=True)
class Preview:
    """Items that fit, by outcome, by confirmed category and by split; `exact` is False when splits are expected."""

    items: int
    outcomes: dict[str, int]
    categories: dict[str, int]
    splits: dict[str, int]
    left_out: int
    exact: bool


def preview(*, project: Project, filters: Filters) -> Preview:
    """Count; nothing is stored, and no text leaves."""
    items = decided_items(project=project, filters=filters, before=timezone.now())
    total = items.count()
    exact = total <= EXACT
    splits = {split.value: total * share // 100 for split, share in SHARES.items()}
    if exact:
        splits = plan(project=project, items=items).split_counts()
    return Preview(
        items=total,
        outcomes=outcome_counts(items),
        categories=category_counts(items),
        splits=splits,
        left_out=total - sum(splits.values()) if exact else 0,
        exact=exact,
    )
