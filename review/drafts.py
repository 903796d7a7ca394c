"""What a reviewer had filled in: shown again when the server refused it, or when they took it back."""

from __future__ import annotations

from dataclasses import dataclass, field

from review.candidates import preference_of
from review.models import Annotation, Assignment, SpanAnnotation
from review.models.annotations import Outcome
from review.quoting import Quoted
from review.services.answers import implied_labels, taken_back
from review.spans import MarkedSpan


@dataclass(slots=True)
class Draft:
    outcome: str = ""
    note: str = ""
    correction: str | None = None
    preference: str = ""
    findings: dict[int, bool] = field(default_factory=dict)
    spans: list[MarkedSpan] = field(default_factory=list)
    quotes: list[Quoted] = field(default_factory=list)
    labels: dict[str, bool] = field(default_factory=dict)
    rubric: dict[str, int] = field(default_factory=dict)
    snippets: list[str] = field(default_factory=list)
    reasons: list[str] = field(default_factory=list)
    statement: str = ""
    error: str = ""


def draft_of_slot(slot: Assignment | None) -> Draft:
    """Return what the holder of a slot had answered and took back; an empty draft when there is no such answer."""
    undone = taken_back(slot=slot, reviewer=slot.lease_owner) if slot and slot.lease_owner else None
    return Draft() if undone is None else _draft_of(undone)


def _draft_of(undone: Annotation) -> Draft:
    verdicts = {verdict.finding_id: verdict for verdict in undone.finding_verdicts.select_related("finding")}
    kept = {finding_id: verdict.kept for finding_id, verdict in verdicts.items()}
    # What only followed from the answer must not look as if it was said: another answer would inherit it.
    findings = {key: verdict.finding for key, verdict in verdicts.items()}
    spans = _marked(undone)
    implied = implied_labels(kept, findings, spans, list(undone.labels))
    moved = {span.finding for span in spans}
    redacts = undone.outcome == Outcome.REDACT
    correction = getattr(undone, "correction", None)
    return Draft(
        outcome=undone.outcome or "unsure",
        note=undone.rationale,
        correction=correction.text if correction else None,
        findings={key: said for key, said in kept.items() if not (redacts and said) and key not in moved},
        spans=spans,
        rubric=undone.rubric,
        preference=preference_of(undone),
        reasons=undone.reasons,
        statement=undone.statement if undone.statement_edited else "",
        labels={name: said for name, said in undone.labels.items() if implied.get(name) != said},
    )


def _marked(answer: Annotation) -> list[MarkedSpan]:
    change = SpanAnnotation.Change
    spans = answer.spans.filter(change__in=(change.ADDED, change.RETYPED, change.RESIZED)).order_by("id")
    return [MarkedSpan(span.start, span.end, span.label, span.finding_id) for span in spans]
