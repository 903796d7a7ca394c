"""Two candidate outputs side by side, and which one a reviewer prefers.

Which stands left is drawn with the slot: its id is random, so every reviewer of an item may have another order, and a
reload has the same one.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _

from review.errors import InvalidAnswer
from review.models import Annotation, Assignment, PreferencePair, ReviewItem
from review.numbers import number_findings
from review.segments import Segment, chunks
from screening.findings import OUTPUT
from webapp.interception.models import Check, Finding

SOURCE = "a_b"
TIE = "tie"
#: What the form sends, to which side it prefers and how much.
PREFERENCES = {"left-1": ("left", 1.0), "left-0.5": ("left", 0.5), TIE: ("", 0.0)} | {
    "right-0.5": ("right", 0.5),
    "right-1": ("right", 1.0),
}


@dataclass(frozen=True, slots=True)
class Candidate:
    """An output as the page shows it; `check` is None while blind: its verdict is the machine's."""

    side: str
    chunks: list[list[Segment]]
    check: Check | None


def other_output(item: ReviewItem) -> str | None:
    """Return the output that stands beside the item's; None when there is none, or it was erased."""
    other = item.checked.compared_with
    content = getattr(other, "content", None)
    return content.output if content is not None and item.checked.content.output is not None else None


def output_is_left(slot: Assignment) -> bool:
    return slot.id.int % 2 == 0


def candidates_of(item: ReviewItem, slot: Assignment | None, *, blind: bool) -> list[Candidate]:
    """Return the two candidates, the left one first; an empty list when there is nothing to compare, or nobody to."""
    text, other = other_output(item), item.checked.compared_with
    if text is None or other is None or slot is None:
        return []
    pair = [(item.checked.content.output or "", item.checked), (text, other)]
    if not output_is_left(slot):
        pair.reverse()
    return [
        Candidate(side, _chunks(shown, [] if blind else list(check.findings.all())), None if blind else check)
        for side, (shown, check) in zip(("left", "right"), pair, strict=True)
    ]


def _chunks(text: str, findings: list[Finding]) -> list[list[Segment]]:
    found = [finding for finding in findings if finding.target == OUTPUT]
    return chunks(text, found, numbers=number_findings(findings))


def checked_preference(item: ReviewItem, preference: str) -> str:
    """Return the preference; raise InvalidAnswer when it is none, or there is nothing to compare."""
    if preference and (preference not in PREFERENCES or other_output(item) is None):
        raise InvalidAnswer(_("There is nothing to prefer here: the other output is not there any more."))
    return preference


def store_preference(annotation: Annotation, slot: Assignment, preference: str) -> None:
    """Keep what was preferred, if anything was said; of a tie the item's own output is named first."""
    if not preference:
        return
    own, other = annotation.item.checked.content.output or "", other_output(annotation.item) or ""
    side, strength = PREFERENCES[preference]
    left = output_is_left(slot)
    own_chosen = not side or (side == "left") == left
    PreferencePair.objects.create(
        annotation=annotation,
        chosen=own if own_chosen else other,
        rejected=other if own_chosen else own,
        strength=strength,
        source=SOURCE,
        chosen_left=left if own_chosen else not left,
    )


def preference_of(annotation: Annotation) -> str:
    """Return what the form had sent for the stored pair; "" when there is none."""
    pair: Any = annotation.pairs.filter(source=SOURCE).first()
    if pair is None:
        return ""
    said = ("left" if pair.chosen_left else "right", pair.strength) if pair.strength else ("", 0.0)
    return next(name for name, meaning in PREFERENCES.items() if meaning == said)
