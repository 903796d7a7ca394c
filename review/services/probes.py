"""Golden items before reviewers. A probe is an item like any other, but nothing follows from it for its check.

It comes in beside an ordinary item, so that its place in the queue is that of one. Its ids and times lie a random while
before: two items of one moment would tell that the second is a probe.
"""

from __future__ import annotations

import datetime as dt
import secrets
import uuid

from django.db import transaction
from django.db.models import F, QuerySet
from django.utils import timezone

from review.models import (
    Assignment,
    Decision,
    Exclusion,
    GoldenItem,
    GoldenResult,
    ItemTrigger,
    Queue,
    ReviewerPause,
    ReviewItem,
)
from review.models.decisions import Method
from review.models.golden import RetiredBecause
from review.models.items import OPEN_STATES, ItemState, SlotState
from review.scoring import score_answer
from review.services.probe_turns import take_turn
from review.services.raising import APPEALED, draw_samples, open_slots
from webapp.accounts.models import Role, User
from webapp.accounts.services import SYSTEM
from webapp.audit.log import EventObject, record_event
from webapp.ids import earlier

KNOWS_THE_ANSWER = "golden"
#: How far the times of a probe may lie before its making: at most this part of the queue's SLA.
_SPREAD, _LONGEST_SPREAD = 0.1, dt.timedelta(minutes=10)
_WITH_LEADS = (ItemState.ADJUDICATION, ItemState.ESCALATED)


@transaction.atomic
def raise_probe(*, queue: Queue, beside: ReviewItem) -> ReviewItem | None:
    """Put one of the queue's golden items before reviewers who have not seen it; None when there is none for them."""
    people = dict(queue.project.memberships.filter(user__is_active=True).values_list("user", "role"))
    reviewers = {user for user, role in people.items() if role == Role.REVIEWER}
    item = ReviewItem(project=queue.project, queue=queue)
    while_ago = _while_ago(queue)
    item.id = earlier(item.id, by=while_ago)
    draw_samples(item, queue)
    item.qa = False
    needed = queue.required_reviews + item.overlap
    turn = take_turn(queue=queue, reviewers=reviewers, needed=needed, beside=beside.id)
    if turn is None:
        return None
    golden = turn.golden
    _store(item, golden)
    _predate(item, by=while_ago)
    away = dict.fromkeys(turn.seen, "decided_the_original") | {
        user: KNOWS_THE_ANSWER for user, role in people.items() if role in (Role.OWNER, Role.LEAD)
    }
    Exclusion.objects.bulk_create(Exclusion(item=item, reviewer_id=user, why=why) for user, why in away.items())
    record_event(
        type="review.golden.raised",
        project_id=item.project_id,
        actor=SYSTEM,
        object=EventObject("review_item", item.id),
        cause=[f"golden:{golden.id}"],
    )
    return item


def _store(item: ReviewItem, golden: GoldenItem) -> None:
    source = golden.source
    item.golden = golden
    item.checked = source.checked
    item.severity, item.priority, item.language = source.severity, source.priority, source.language
    item.sla_due_at = timezone.now() + dt.timedelta(seconds=item.queue.sla_seconds)
    item.save(force_insert=True)
    kinds = source.triggers.exclude(kind=APPEALED).order_by("id").values_list("kind", "inclusion_prob")
    ItemTrigger.objects.bulk_create(ItemTrigger(item=item, kind=kind, inclusion_prob=prob) for kind, prob in kinds)
    open_slots(item)


def _while_ago(queue: Queue) -> dt.timedelta:
    longest = min(dt.timedelta(seconds=queue.sla_seconds * _SPREAD), _LONGEST_SPREAD)
    return dt.timedelta(milliseconds=secrets.randbelow(longest // dt.timedelta(milliseconds=1)))


def _predate(item: ReviewItem, *, by: dt.timedelta) -> None:
    """Put all times of a new probe that a page shows, or that its ids tell, `by` earlier."""
    ReviewItem.objects.filter(id=item.id).update(created_at=F("created_at") - by, sla_due_at=F("sla_due_at") - by)
    item.triggers.update(created_at=F("created_at") - by)
    for slot in item.assignments.all():
        ids = Assignment.objects.filter(id=slot.id)
        ids.update(id=earlier(slot.id, by=by), sla_due_at=F("sla_due_at") - by)
    item.refresh_from_db()


def score_probe(item: ReviewItem) -> None:
    """Score the answers that count of a decided probe; twice is harmless. Who falls below the mark is paused."""
    golden = item.golden
    if golden is None or golden.retired_because == RetiredBecause.REVERSED:
        return
    answers = item.annotations.filter(cycle=item.cycle, counts=True, superseded_by=None)
    for answer in answers.select_related("reviewer").prefetch_related("spans"):
        score = score_answer(golden=golden, answer=answer)
        GoldenResult.objects.get_or_create(
            annotation=answer,
            defaults={
                "golden": golden,
                "queue": item.queue,
                "reviewer": answer.reviewer,
                "verdict": score.verdict,
                "categories": score.categories,
                "spans": score.spans,
                "score": score.total,
            },
        )
        _hold_to_mark(item.queue, answer.reviewer)


def mean_score(queue: Queue, reviewer: uuid.UUID) -> float | None:
    """Return the mean of a reviewer's last golden answers since a pause was last lifted; None when they are too few."""
    results = standing_results().filter(queue=queue, reviewer=reviewer)
    pauses = ReviewerPause.objects.filter(queue=queue, reviewer=reviewer)
    lifted = pauses.filter(lifted_at__isnull=False).order_by("-lifted_at").first()
    if lifted is not None and lifted.lifted_at is not None:
        results = results.filter(created_at__gt=lifted.lifted_at)
    scores = list(results.order_by("-created_at", "-id").values_list("score", flat=True)[: queue.golden_window])
    return sum(scores) / len(scores) if len(scores) == queue.golden_window else None


def standing_results() -> QuerySet[GoldenResult]:
    """Return the results but for those of golden items whose answer was reversed."""
    return GoldenResult.objects.exclude(golden__retired_because=RetiredBecause.REVERSED)


def _hold_to_mark(queue: Queue, reviewer: User) -> None:
    """Pause a reviewer whose golden answers fall below the queue's mark."""
    mean = mean_score(queue, reviewer.id)
    if mean is None or mean >= queue.golden_pass_mark:
        return
    _, new = ReviewerPause.objects.get_or_create(
        queue=queue, reviewer=reviewer, lifted_at=None, defaults={"score": mean, "results": queue.golden_window}
    )
    if new:
        record_event(
            type="review.reviewer.paused",
            project_id=queue.project_id,
            actor=SYSTEM,
            object=EventObject("user", reviewer.id),
            counts={
                "results": queue.golden_window,
                "score_permille": round(mean * 1000),
                "mark_permille": round(queue.golden_pass_mark * 1000),
            },
            cause=[f"queue:{queue.id}"],
        )


def sweep_probes() -> int:
    """Settle the probes that wait for leads, once they are due, and return how many: leads have nothing to decide."""
    waiting = ReviewItem.objects.filter(golden__isnull=False, state__in=_WITH_LEADS, sla_due_at__lte=timezone.now())
    return sum(_settle(item_id) for item_id in waiting.values_list("id", flat=True))


@transaction.atomic
def _settle(item_id: uuid.UUID) -> bool:
    locked = ReviewItem.objects.select_for_update(of=("self",), no_key=True, skip_locked=True).filter(
        state__in=_WITH_LEADS
    )
    item = locked.select_related("golden__created_by", "queue", "checked").filter(id=item_id).first()
    if item is None or item.golden is None:
        return False
    Decision.objects.create(
        item=item,
        cycle=item.cycle,
        outcome=item.golden.outcome,
        method=Method.ADJUDICATED,
        policy_version_id=item.checked.policy_version_id,
        decided_by=item.golden.created_by,
    )
    item.state = ItemState.DECIDED
    item.decided_at = timezone.now()
    item.save(update_fields=["state", "decided_at"])
    void_slots(item)
    score_probe(item)
    return True


def take_away(golden: GoldenItem, *, because: str = "") -> bool:
    """Retire a golden item, and take it from whoever has it; its results stay. False when it was retired before."""
    # Items before what hangs on them, as everywhere.
    probes = list(
        ReviewItem.objects.select_for_update(no_key=True).filter(golden=golden, state__in=OPEN_STATES).order_by("id")
    )
    in_use = GoldenItem.objects.filter(id=golden.id, retired_at=None)
    if not in_use.update(retired_at=timezone.now(), retired_because=because):
        return False
    for probe in probes:
        probe.state = ItemState.CANCELLED
        probe.save(update_fields=["state"])
        void_slots(probe)
    return True


def void_slots(item: ReviewItem) -> None:
    """End what nobody answered of an item."""
    item.assignments.exclude(state=SlotState.SUBMITTED).update(state=SlotState.VOID)
