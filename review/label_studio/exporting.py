"""Write what waits in a queue as tasks for Label Studio, to be annotated there."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from django.db import transaction
from django.db.models import Prefetch, QuerySet

from review.imported import DETECTOR
from review.label_studio.config import label_config
from review.label_studio.decided import decided_results
from review.label_studio.tasks import Task, annotation, choice, prediction, span, task
from review.models import Annotation, Decision, Queue, ReviewItem
from review.models.items import OPEN_STATES
from review.page_rows import message_text
from screening.categories import MODERATION_CATEGORIES
from screening.findings import OUTPUT
from webapp.accounts.services import SYSTEM
from webapp.audit.log import Actor, EventObject, record_event
from webapp.files import new_file
from webapp.interception.models import Finding

PAGE = 200


def export_waiting(
    queue: Queue, path: Path, *, actor: Actor = SYSTEM, tell: Callable[[int, int], None] = lambda done, total: None
) -> tuple[int, Path]:
    """Write the items that wait in `queue`, and the labelling interface beside them; return how many, and its path.

    Both files are private, and there as a whole or not at all. What the machine found is left out of items that are
    to be answered blind, items without an output are left out as a whole. Raises OSError.
    """
    config_path = path.with_name(f"{path.stem}.label_config.xml")
    waiting = ReviewItem.objects.real().filter(
        queue=queue, state__in=OPEN_STATES, checked__content__output__isnull=False
    )
    total, written = waiting.count(), 0
    places: set[str] = set()
    wholes: set[str] = set(MODERATION_CATEGORIES)
    with new_file(path, replace=True) as tasks_file, new_file(config_path, replace=True) as config_file:
        with tasks_file.open("w", encoding="utf-8", newline="\n") as out:
            out.write("[")
            for item in _each(waiting):
                out.write("\n" if written == 0 else ",\n")
                json.dump(task_of(item, places, wholes), out, ensure_ascii=False)
                written += 1
                tell(written, total)
            out.write("\n]\n")
        config_file.write_text(label_config(spans=places, categories=wholes), encoding="utf-8", newline="\n")
        # Before the files get their names: no text leaves without the event that says so.
        _record_export(queue, actor, written)
    return written, config_path


def _each(waiting: QuerySet[ReviewItem]) -> Iterator[ReviewItem]:
    """Yield the items that wait now, a page at a time, by key; what comes meanwhile is for the next time."""
    newest = waiting.order_by("-id").values_list("id", flat=True).first()
    rows = exportable().filter(id__in=waiting.values("id")).order_by("id")
    page = list(rows.filter(id__lte=newest)[:PAGE]) if newest else []
    while page:
        yield from page
        page = list(rows.filter(id__gt=page[-1].id, id__lte=newest)[:PAGE])


def exportable() -> QuerySet[ReviewItem]:
    """Return items with all that a task is made of."""
    answers = Annotation.objects.select_related("correction").prefetch_related("spans")
    return ReviewItem.objects.select_related("checked__content", "checked__policy_version__policy").prefetch_related(
        "checked__findings", Prefetch("decisions", Decision.objects.standing()), Prefetch("annotations", answers)
    )


def task_of(item: ReviewItem, places: set[str], wholes: set[str]) -> Task:
    """Return a task; the labels in it are added to `places` and `wholes`."""
    check, content = item.checked, item.checked.content
    text = content.output or ""
    found = [] if item.is_blind_now else [f for f in check.findings.all() if f.target == OUTPUT]
    marked = [f for f in found if _has_place(f, text)]
    whole = [f for f in found if not _has_place(f, text)]
    places.update(f.category for f in marked)
    wholes.update(f.category for f in whole)
    version = check.policy_version
    return task(
        text=text,
        messages=[{"role": str(m.get("role", "")), "content": message_text(m)} for m in content.messages],
        check=check.public_id,
        item=item.public_id,
        annotations=[annotation(decided)] if (decided := decided_results(item, text)) else [],
        predictions=_predictions(text, found, f"{version.policy.name} {version.version}"),
    )


def _predictions(text: str, found: list[Finding], policy: str) -> list[dict[str, Any]]:
    """Return one prediction for what rules found, and one for labels that came from outside."""
    sources = {policy: [f for f in found if f.detector != DETECTOR]}
    sources[DETECTOR] = [f for f in found if f.detector == DETECTOR]
    predictions = []
    for name, findings in sources.items():
        results = [span(text, f.start or 0, f.end or 0, f.category) for f in findings if _has_place(f, text)]
        if whole := sorted({f.category for f in findings if not _has_place(f, text)}):
            results.append(choice("categories", whole))
        if results:
            predictions.append(prediction(results, model_version=name, score=max(f.score for f in findings)))
    return predictions


def _has_place(finding: Finding, text: str) -> bool:
    return finding.start is not None and finding.end is not None and finding.start < finding.end <= len(text)


@transaction.atomic
def _record_export(queue: Queue, actor: Actor, written: int) -> None:
    record_event(
        type="review.queue.exported",
        project_id=queue.project_id,
        actor=actor,
        object=EventObject("queue", queue.pk),
        reason_codes=["format:label-studio"],
        counts={"rows": written},
    )
