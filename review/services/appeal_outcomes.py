"""What a decision makes of the appeal that it answers; part of deciding an item and of taking that back."""

from __future__ import annotations

import datetime as dt

from review.models import Annotation, Appeal, Decision, Exclusion, QAReview, ReviewItem
from review.models.appeals import AppealOutcome
from review.models.items import OPEN_STATES
from webapp.interception.models import Check, Release, ReleaseOutcome

DECIDED_THE_ORIGINAL = "decided_the_original"
HELD = "held"
_OF_VERDICT = {
    "allow": ReleaseOutcome.RELEASED,
    "redact": ReleaseOutcome.REDACTED,
    "block": ReleaseOutcome.BLOCKED,
    "hold": HELD,
}


def pending_appeal(item: ReviewItem) -> Appeal | None:
    """Return the appeal that the next decision of a locked item answers."""
    return Appeal.objects.filter(item=item, cycle=item.cycle, outcome="").select_related("contested").first()


def outcome_in_force(check: Check, release: Release | None) -> str:
    """Return what holds of a check: the outcome of `release`, without one what the machine's verdict amounts to."""
    return release.outcome if release else _OF_VERDICT[check.verdict]


def conclude_appeal(appeal: Appeal, decision: Decision, release: Release) -> None:
    """Note what came of an appeal. It is upheld if what goes out is the same as before, else reversed."""
    check = release.checked
    contested = Release.objects.filter(decision_id=appeal.contested_id).first() if appeal.contested_id else None
    before = (outcome_in_force(check, contested), contested.output if contested else check.content.released)
    same = _goes_out(*before) == _goes_out(release.outcome, release.output)
    appeal.outcome = AppealOutcome.UPHELD if same else AppealOutcome.REVERSED
    appeal.decision = decision
    appeal.save(update_fields=["outcome", "decision"])


def _goes_out(outcome: str, output: str | None) -> tuple[bool, str | None]:
    return outcome not in (ReleaseOutcome.BLOCKED, HELD), output


def appeal_codes(decision: Decision) -> list[str]:
    """Return the reason codes of the event of a decision that answers an appeal; none for others."""
    appeal = Appeal.objects.filter(decision=decision).first()
    if appeal is None:
        return []
    made = appeal.created_at.astimezone(dt.UTC).isoformat(timespec="microseconds")
    return [f"appeal:{appeal.outcome}", f"appealed:{made}", *subject_codes(appeal)]


def subject_codes(appeal: Appeal) -> list[str]:
    """Return what reports group appeals by: who decided before, and the rules that had found something."""
    rules = appeal.checked.findings.values_list("rule", flat=True).distinct()
    return [f"contested:{'person' if appeal.contested_id else 'machine'}", *(f"rule:{rule}" for rule in rules)]


def open_again(decision: Decision) -> None:
    """Make the appeal pending that a decision answered which is taken back."""
    Appeal.objects.filter(decision=decision).update(outcome="", decision=None)


def move_appeal(item: ReviewItem) -> None:
    """Let the check's other open item answer the appeal of `item`, which is cancelled."""
    appeal = pending_appeal(item)
    other = ReviewItem.objects.real().filter(checked=item.checked_id, state__in=OPEN_STATES).first()
    if appeal is None or other is None:
        return
    appeal.item, appeal.cycle = other, other.cycle
    appeal.save(update_fields=["item", "cycle"])
    keep_away(other, before=appeal)


def keep_away(item: ReviewItem, *, before: Appeal) -> None:
    """Exclude from `item` everybody who had a part in what was decided of the check before the appeal was made."""
    answered = Annotation.objects.filter(item__checked=item.checked_id, created_at__lt=before.created_at)
    looked_at = QAReview.objects.filter(undone_at=None, item__checked=item.checked_id, created_at__lt=before.created_at)
    away = answered.values_list("reviewer", flat=True).union(looked_at.values_list("reviewer", flat=True))
    Exclusion.objects.bulk_create(
        [Exclusion(item=item, reviewer_id=user, why=DECIDED_THE_ORIGINAL) for user in away], ignore_conflicts=True
    )
