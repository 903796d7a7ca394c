"""What people decided here, as an annotation of a task."""

from __future__ import annotations

from collections.abc import Iterator

from django.utils import timezone

from review.label_studio import tasks
from review.label_studio.tasks import Result
from review.models import Annotation, ReviewItem, SpanAnnotation
from review.models.items import ItemState


def decided_results(item: ReviewItem, text: str) -> list[Result]:
    """Return the decision in force and the newest answer that led to it; nothing while it can be taken back.

    Wants `decisions` (the standing ones) and `annotations` with spans and correction prefetched.
    """
    if item.state != ItemState.DECIDED or (item.decided_at and item.decided_at > timezone.now()):
        return []
    decision = next((one for one in item.decisions.all() if one.cycle == item.cycle), None)
    if decision is None:
        return []
    agreeing = [
        answer
        for answer in item.annotations.all()
        if answer.counts and answer.cycle == item.cycle and answer.outcome == decision.outcome
    ]
    newest = max(agreeing, key=lambda answer: answer.created_at, default=None)
    return [tasks.choice(tasks.OUTCOME, [decision.outcome]), *(_said(newest, text) if newest else ())]


def _said(answer: Annotation, text: str) -> Iterator[Result]:
    yield tasks.choice(tasks.VERDICT, [answer.verdict])
    for span in answer.spans.all():
        if span.change != SpanAnnotation.Change.REMOVED and span.start < span.end <= len(text):
            yield tasks.span(text, span.start, span.end, span.label)
    if said := sorted(name for name, value in answer.labels.items() if value):
        yield tasks.choice(tasks.CATEGORIES, said)
    if (correction := getattr(answer, "correction", None)) is not None:
        yield tasks.written(tasks.CORRECTION, correction.text)
