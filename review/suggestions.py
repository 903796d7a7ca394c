"""Answers of elsewhere: stored once, shown beside the decision, taken over by whoever decides.

They fill nothing in by themselves. Whoever has not read an answer would submit it as their own.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass

from review.blind import is_hidden
from review.drafts import Draft
from review.imported import IMPORTED
from review.label_studio.labels import Labels
from review.models import Assignment, ReviewItem, Suggestion
from review.models.annotations import AnnotationVerdict, Outcome
from review.posted import UNSURE
from webapp.accounts.models import Membership
from webapp.interception.models import Check

#: What has to happen to an output that violates is for the reviewer to say.
_FOLLOWS: dict[str, str] = {AnnotationVerdict.UNSURE: UNSURE, AnnotationVerdict.FINE: Outcome.RELEASE}


@dataclass(frozen=True, slots=True)
class SuggestionRow:
    """An answer with the outcome that taking it over chooses."""

    suggestion: Suggestion
    offered: str


def new_suggestions(check: Check, labels: Labels) -> list[Suggestion]:
    """Return the answers that the check does not have yet, to be stored."""
    known = set(Suggestion.objects.filter(checked=check).values_list("sha256", flat=True))
    return [
        Suggestion(
            checked=check,
            source=labels.source,
            model=said.model,
            verdict=said.verdict,
            outcome=said.outcome,
            correction=said.correction,
            note=said.note,
            sha256=said.sha256,
        )
        for said in labels.said
        if said.sha256 not in known
    ]


def suggestions_of(item: ReviewItem, *, blind: bool) -> list[SuggestionRow]:
    """Return the answers in the order in which they came; none while blind."""
    if blind or all(trigger.kind != IMPORTED for trigger in item.triggers.all()):
        return []
    found = Suggestion.objects.filter(checked=item.checked_id).order_by("created_at", "id")
    return [SuggestionRow(suggestion, offered_outcome(suggestion)) for suggestion in found]


def offered_outcome(suggestion: Suggestion) -> str:
    """Return what the form would have to say; "" when it does not follow from the answer."""
    if suggestion.outcome:
        return suggestion.outcome
    if suggestion.correction:
        return Outcome.REPLACE
    return _FOLLOWS.get(suggestion.verdict, "")


def taken_over(slot: Assignment, membership: Membership, chosen: str) -> Draft | None:
    """Return the answer with this id as a draft of who works on the slot; None when they see no such answer."""
    if is_hidden(item=slot.item, membership=membership):
        return None
    try:
        key = uuid.UUID(chosen)
    except ValueError:
        return None
    found = Suggestion.objects.filter(checked=slot.item.checked_id, id=key).first()
    if found is None:
        return None
    return Draft(outcome=offered_outcome(found), note=found.note, correction=found.correction or None)
