"""What a reviewer had filled in: shown again when the server refused it, or when they took it back."""

from __future__ import annotations

from dataclasses import dataclass, field

from review.models import Annotation, Assignment
from review.models.annotations import Outcome
from review.services.answers import implied_labels, taken_back


@dataclass(slots=True)
class Draft:
    outcome: str = ""
    note: str = ""
    correction: str | None = None
    findings: dict[int, bool] = field(default_factory=dict)
    labels: dict[str, bool] = field(default_factory=dict)
    rubric: dict[str, int] = field(default_factory=dict)
    snippets: list[str] = field(default_factory=list)
    error: str = ""


def draft_of_slot(slot: Assignment | None) -> Draft:
    """Return what the holder of a slot had answered and took back; an empty draft when there is no such answer."""
    undone = taken_back(slot=slot, reviewer=slot.lease_owner) if slot and slot.lease_owner else None
    return Draft() if undone is None else _draft_of(undone)


def _draft_of(undone: Annotation) -> Draft:
    verdicts = {verdict.finding_id: verdict for verdict in undone.finding_verdicts.select_related("finding")}
    kept = {finding_id: verdict.kept for finding_id, verdict in verdicts.items()}
    # What only followed from the answer must not look as if it was said: another answer would inherit it.
    implied = implied_labels(kept, {key: verdict.finding for key, verdict in verdicts.items()}, list(undone.labels))
    redacts = undone.outcome == Outcome.REDACT
    correction = getattr(undone, "correction", None)
    return Draft(
        outcome=undone.outcome or "unsure",
        note=undone.rationale,
        correction=correction.text if correction else None,
        findings={finding_id: said for finding_id, said in kept.items() if not (redacts and said)},
        rubric=undone.rubric,
        labels={name: said for name, said in undone.labels.items() if implied.get(name) != said},
    )
