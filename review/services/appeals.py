"""Take in appeals against what was decided of a check, by people or by the machine alone."""

from __future__ import annotations

from dataclasses import dataclass

from django.db import IntegrityError, transaction
from django.db.models import prefetch_related_objects
from django.utils import timezone

from review.errors import InvalidAnswer, NotContestable
from review.models import Appeal, AppealText, Decision, ItemTrigger, ReviewItem
from review.models.appeals import Appellant
from review.models.decisions import Method
from review.models.items import OPEN_STATES, SlotRole
from review.services.appeal_limits import require_room
from review.services.appeal_outcomes import keep_away, outcome_in_force, subject_codes
from review.services.raising import APPEALED, raise_item
from review.services.reopening import begin_cycle
from webapp.accounts.models import Application
from webapp.audit.log import EventObject, record_event
from webapp.interception.models import Check, CheckState
from webapp.interception.releases import let_out_due, release_in_force
from webapp.interception.rows import actor_of
from webapp.interception.storing import IdempotencyConflict

_BEFORE_PEOPLE = "People have this check before them and have not decided yet."
_ONCE = "This decision was contested before; a decision is contested once."


@dataclass(frozen=True, slots=True)
class AppealRequest:
    """`reason` is for who decides; `end_user`, the application's reference, is "" when it contests for itself."""

    reason: str
    end_user: str = ""
    idempotency_key: str | None = None


@transaction.atomic
def make_appeal(*, check: Check, application: Application, wanted: AppealRequest) -> tuple[Appeal, bool]:
    """Contest what holds of a check, and return the appeal and whether it is new.

    The item that was decided begins a new cycle; what the machine decided alone is put in front of people. One person
    decides it, who answered nothing of this check before; until then the decision so far holds. The same
    `idempotency_key` again returns the appeal that it made. Raises NotContestable, TooManyAppeals, IdempotencyConflict.
    """
    # Not FOR UPDATE: whoever decides an item inserts a release, which refers to the check, while they hold the item.
    check = Check.objects.select_for_update(no_key=True).get(pk=check.pk)
    stored = _stored(check, application, wanted)
    if stored is not None:
        return stored, False
    require_room(application, wanted.end_user)
    items = list(ReviewItem.objects.real().select_for_update(no_key=True).filter(checked=check).order_by("id"))
    prefetch_related_objects([check], "releases", "findings", "content")
    let_out_due([check], now=timezone.now())
    decision = _contested(check, items)
    appeal = Appeal(
        project_id=check.project_id,
        checked=check,
        application=application,
        by=Appellant.END_USER if wanted.end_user else Appellant.APPLICATION,
        idempotency_key=wanted.idempotency_key,
        contested=decision,
        contested_outcome=outcome_in_force(check, release_in_force(check)),
    )
    item = _before_people(check, decision, items)
    appeal.item, appeal.cycle = item, item.cycle
    try:
        with transaction.atomic():
            appeal.save(force_insert=True)
    except IntegrityError:
        raise IdempotencyConflict from None  # another check's appeal took the key since we looked
    AppealText.objects.create(appeal=appeal, reason=wanted.reason, end_user=wanted.end_user)
    keep_away(item, before=appeal)
    _record(appeal, application)
    return appeal, True


def _stored(check: Check, application: Application, wanted: AppealRequest) -> Appeal | None:
    if wanted.idempotency_key is None:
        return None
    made = Appeal.objects.filter(application=application, idempotency_key=wanted.idempotency_key)
    appeal = made.select_related("decision", "text").first()
    if appeal is None:
        return None
    text = getattr(appeal, "text", None)  # erased: then the key alone has to do
    if appeal.checked_id != check.id or (text and (text.reason, text.end_user) != (wanted.reason, wanted.end_user)):
        raise IdempotencyConflict
    return appeal


def _contested(check: Check, items: list[ReviewItem]) -> Decision | None:
    """Return the decision in force, None for the machine's verdict; raise NotContestable when there is none yet."""
    now = timezone.now()
    if check.state != CheckState.CONCLUDED:
        raise NotContestable("The check has no verdict yet.")
    if any(item.state in OPEN_STATES or (item.decided_at and item.decided_at > now) for item in items):
        raise NotContestable(_BEFORE_PEOPLE)
    release = release_in_force(check)
    if release is None:
        if Appeal.objects.filter(checked=check, contested=None).exists():
            raise NotContestable(_ONCE)
        return None
    decision = Decision.objects.get(pk=release.decision_id)
    if decision.method == Method.APPEAL:
        raise NotContestable("This was decided on appeal, which is final.")
    if Appeal.objects.filter(contested=decision).exists():
        raise NotContestable(_ONCE)
    return decision


def _before_people(check: Check, decision: Decision | None, items: list[ReviewItem]) -> ReviewItem:
    if decision is None:
        return raise_item(check=check, kind=APPEALED)
    item = next(item for item in items if item.id == decision.item_id)
    try:
        begin_cycle(item, [SlotRole.APPEAL])
    except InvalidAnswer:
        raise NotContestable(_BEFORE_PEOPLE) from None
    ItemTrigger.objects.create(item=item, kind=APPEALED)
    return item


def _record(appeal: Appeal, application: Application) -> None:
    causes = [appeal.checked.public_id, f"item:{appeal.item_id}"]
    record_event(
        type="review.appeal.made",
        project_id=appeal.project_id,
        actor=actor_of(application),
        object=EventObject("appeal", appeal.id, rev=str(appeal.cycle)),
        reason_codes=[f"by:{appeal.by}", f"outcome:{appeal.contested_outcome}", *subject_codes(appeal)],
        cause=causes + ([f"decision:{appeal.contested_id}"] if appeal.contested_id else []),
        ts=appeal.created_at,
    )
