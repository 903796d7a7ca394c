"""What the item page shows of appeals."""

from __future__ import annotations

from dataclasses import dataclass

from review.models import Annotation, Appeal, ReviewItem


@dataclass(frozen=True, slots=True)
class AppealRow:
    """An appeal; `notes` are those of who gave the contested outcome, without names, until it is decided."""

    appeal: Appeal
    notes: list[str]


def appeal_rows(item: ReviewItem) -> list[AppealRow]:
    """Return the appeals of an item, oldest first; one query for the notes, if there is a pending appeal."""
    return [AppealRow(appeal, [] if appeal.outcome else _notes(appeal)) for appeal in item.appeals.all()]


def _notes(appeal: Appeal) -> list[str]:
    contested = appeal.contested
    if contested is None:
        return []
    answers = Annotation.objects.filter(item=contested.item_id, cycle=contested.cycle, outcome=contested.outcome)
    counted = answers.filter(counts=True, superseded_by=None).exclude(rationale="")
    return list(counted.order_by("assignment__slot_no").values_list("rationale", flat=True))
