"""Blind first: of an item that was drawn blind, a reviewer does not see what the machine found until they answered.

Only the first cycle is blind: once an item was decided, its page shows everything to every member.
"""

from __future__ import annotations

from django.db.models import Q
from django.utils import timezone

from review.models import ReviewItem
from review.models.annotations import Assistance
from review.models.items import OPEN_STATES
from webapp.accounts.models import Membership, Role, User

#: They answer nothing, so nothing needs to be kept from them.
_NEVER_ANSWER = (Role.COMPLIANCE,)


def given_blind() -> Q:
    """Return the condition that an annotation is what somebody said blind and stood behind.

    It counts, or they answered again once they saw the machine: what they thought without it stays true.
    """
    return Q(assistance=Assistance.BLIND) & (Q(counts=True) | Q(undone_at__isnull=False, superseded_by__isnull=False))


def blind_now() -> Q:
    """Return the condition of items that somebody may still answer blind, as `ReviewItem.is_blind_now`."""
    return Q(blind=True, cycle=1) & (Q(state__in=OPEN_STATES) | Q(decided_at__gt=timezone.now()))


def assistance_of(*, item: ReviewItem, user: User) -> Assistance:
    """Return with what help `user` answers this item now."""
    if not item.blind or item.cycle > 1:
        return Assistance.SHOWN
    committed = item.annotations.filter(reviewer=user, cycle=item.cycle).exists()
    return Assistance.AFTER_COMMIT if committed else Assistance.BLIND


def is_hidden(*, item: ReviewItem, membership: Membership) -> bool:
    """Whether scores, highlights, triggers, rules and like cases of an item are kept from a member."""
    if not item.is_blind_now or membership.role in _NEVER_ANSWER:
        return False
    return assistance_of(item=item, user=membership.user) == Assistance.BLIND
