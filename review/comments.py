"""Who sees which comments of an item, and who was asked.

Whoever still answers an item that several people answer independently, or that is answered blind, sees their own
comments alone: a remark like "clearly an insult" is an answer. So does everybody else but the leads and who was asked,
until the item is decided.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass

from django.db.models import Prefetch, Q, QuerySet
from django.utils import timezone

from review.blind import is_hidden
from review.models import Comment, Mention, ReviewItem
from review.models.items import ItemState, SlotRole, SlotState
from webapp.accounts.models import Membership, Project, Role, User
from webapp.accounts.selectors import members_of

LEADS = (Role.OWNER, Role.LEAD)
REVIEWERS = (*LEADS, Role.REVIEWER)
_SEE_ALL = (*LEADS, Role.COMPLIANCE)
_UNANSWERED = (SlotState.OPEN, SlotState.LEASED, SlotState.HELD)


@dataclass(frozen=True, slots=True)
class Remark:
    """A comment with the words of the output that it is about."""

    comment: Comment
    quote: str


@dataclass(frozen=True, slots=True)
class Thread:
    """The comments of an item that a member sees, without names if they decide it, and whom they can ask.

    `key` is the next comment's.
    """

    remarks: list[Remark]
    anonymous: bool
    people: list[User]
    leads: list[User]
    sealed: bool
    key: uuid.UUID


@dataclass(frozen=True, slots=True)
class _Part:
    """What a member has to do with an item that is not decided."""

    sealed: bool
    answers: bool
    decides: bool


def thread_of(*, item: ReviewItem, membership: Membership) -> Thread:
    """Return what the item page shows; five queries, however many comments there are."""
    part = _part(item, membership)
    output = item.checked.content.output or ""
    asked = [one for one in can_be_asked(item=item, sealed=part.sealed) if one.user_id != membership.user_id]
    return Thread(
        remarks=[Remark(one, output[one.start : one.end] if one.end else "") for one in _seen(item, membership, part)],
        anonymous=part.decides,
        people=[one.user for one in asked],
        leads=[one.user for one in asked if one.role in LEADS],
        sealed=part.sealed,
        key=uuid.uuid4(),
    )


def is_sealed(item: ReviewItem) -> bool:
    """Whether an item is answered by several people who are not to know of each other's answers, or blind."""
    return _is_sealed(item, sum(role != SlotRole.ADJUDICATOR for role, _ in _unanswered(item)))


def _is_sealed(item: ReviewItem, waiting: int) -> bool:
    if item.state == ItemState.DECIDED and not item.is_undoable:
        return False
    if item.is_blind_now or waiting > 1:
        return True
    return waiting + item.annotations.filter(cycle=item.cycle, counts=True).count() > 1


def _unanswered(item: ReviewItem) -> list[tuple[str, uuid.UUID | None]]:
    return list(item.assignments.filter(state__in=_UNANSWERED).values_list("role", "lease_owner"))


def _part(item: ReviewItem, membership: Membership) -> _Part:
    slots = _unanswered(item)
    own = {role for role, owner in slots if owner == membership.user_id}
    sealed = _is_sealed(item, sum(role != SlotRole.ADJUDICATOR for role, _ in slots))
    hidden = sealed and is_hidden(item=item, membership=membership)
    return _Part(sealed, bool(own - {SlotRole.ADJUDICATOR}) or hidden, SlotRole.ADJUDICATOR in own)


def _seen(item: ReviewItem, membership: Membership, part: _Part) -> QuerySet[Comment]:
    found = Comment.objects.filter(item=item).select_related("author").order_by("created_at", "id")
    found = found.prefetch_related(Prefetch("mentions", Mention.objects.select_related("user").order_by("id")))
    if not part.sealed or (membership.role in _SEE_ALL and not part.answers):
        return found
    own = Q(author=membership.user)
    if part.answers:
        return found.filter(own)
    asked = Mention.objects.filter(item=item, user=membership.user)
    return found.filter(own | Q(id__in=asked.values("comment")))


def can_be_asked(*, item: ReviewItem, sealed: bool) -> list[Membership]:
    """Return the members whom a comment can ask: of a sealed item only leads, as the others may be asked to answer."""
    members = members_of(item.project).filter(role__in=LEADS if sealed else REVIEWERS, user__is_active=True)
    return list(members)


def mark_read(*, item: ReviewItem, membership: Membership) -> int:
    """Note that a member saw on the item's page what they were asked there, and return how much of it was new."""
    unread = Mention.objects.filter(user=membership.user, item=item, read_at=None)
    if not unread.exists():
        return 0
    seen = _seen(item, membership, _part(item, membership))
    return unread.filter(Q(comment=None) | Q(comment__in=seen.values("id"))).update(read_at=timezone.now())


def mentions_of(*, project: Project, user: User, limit: int = 50) -> QuerySet[Mention]:
    """Return where a member was asked, the newest first, without what was said: that is on the item's page."""
    found = Mention.objects.filter(user=user, item__project=project).select_related("item__queue", "author")
    return found.order_by("-created_at", "-id")[:limit]


def unread_mentions(*, project: Project, user: User) -> int:
    return Mention.objects.filter(user=user, read_at=None, item__project=project).count()
