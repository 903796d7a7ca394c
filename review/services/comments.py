"""Say something about an item, and ask people."""

from __future__ import annotations

import re
import uuid
from dataclasses import dataclass

from django.db import transaction
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from review.comments import can_be_asked, is_sealed
from review.errors import InvalidAnswer
from review.models import Comment, Mention, ReviewItem
from webapp.accounts.models import Membership, User
from webapp.accounts.services import user_actor
from webapp.audit.log import EventObject, record_event

MAX_TEXT = 5_000
#: Comments of one item: they are all on its page.
MOST = 500
MAX_QUOTE = 2_000
#: What user names are made of; an @ inside a word, as in an address, asks nobody.
_NAMES = re.compile(r"(?<![\w.@+-])@([\w.@+-]+)")
_LINE_END = re.compile(r"\r\n?")


@dataclass(frozen=True, slots=True)
class Commented:
    """A stored comment, and a message about names in it that were not asked; "" when all were."""

    comment: Comment
    message: str = ""


@transaction.atomic
def add_comment(
    *,
    item: ReviewItem,
    membership: Membership,
    key: uuid.UUID,
    text: str,
    quote: str = "",
    near: int = 0,
    ask: uuid.UUID | None = None,
) -> Commented:
    """Store a comment and ask whom it names; the same `key` again returns what was stored.

    `quote` are words of the output that it is about, the ones nearest to `near` where they occur more than once. `ask`
    is a person besides those whom the text names as @name. Raises InvalidAnswer when there is nothing to store, the
    quote is not in the output, or `ask` can not be asked.
    """
    text = _LINE_END.sub("\n", text).strip()
    if not text or len(text) > MAX_TEXT or "\0" in text:
        raise InvalidAnswer(_("Write a comment of at most %(number)d characters.") % {"number": MAX_TEXT})
    item = ReviewItem.objects.select_related("project", "checked__content").lock(item.pk)
    stored = Comment.objects.filter(id=key).first()
    if stored is not None:
        if (stored.author_id, stored.item_id) != (membership.user_id, item.id):
            raise InvalidAnswer(_("The form was used before. Reload the page and comment again."))
        return Commented(stored)
    if item.comments.count() >= MOST:
        raise InvalidAnswer(
            _("This item has %(most)s comments, which is the most. Escalate it instead.") % {"most": MOST}
        )
    place = _find(item.checked.content.output or "", _LINE_END.sub("\n", quote), near) if quote else None
    asked, message = whom_to_ask(item=item, author=membership, text=text, ask=ask)
    comment = Comment.objects.create(
        id=key,
        item=item,
        cycle=item.cycle,
        author=membership.user,
        text=text,
        start=place[0] if place else None,
        end=place[1] if place else None,
    )
    Mention.objects.bulk_create(
        Mention(item=item, comment=comment, user=person, author=membership.user) for person in asked
    )
    record_event(
        type="review.comment.added",
        project_id=item.project_id,
        actor=user_actor(membership.user, membership.role),
        object=EventObject("review_item", item.id),
        cause=[f"comment:{comment.id}", *(f"user:{person.id}" for person in asked)],
    )
    return Commented(comment, message)


def _find(output: str, quote: str, near: int) -> tuple[int, int]:
    if len(quote) > MAX_QUOTE:
        raise InvalidAnswer(_("Mark at most %(number)d characters of the output.") % {"number": MAX_QUOTE})
    # A browser shows every kind of line end as the same, and so sends it; its places may be off by as much.
    pattern = r"(?:\r\n?|\n)".join(re.escape(line) for line in quote.split("\n"))
    found = min(re.finditer(pattern, output), key=lambda match: abs(match.start() - near), default=None)
    if found is None:
        raise InvalidAnswer(_("These words are not in the output. Mark them there, or leave the field empty."))
    return found.start(), found.end()


def whom_to_ask(
    *, item: ReviewItem, author: Membership, text: str, ask: uuid.UUID | None, leads_only: bool = False
) -> tuple[list[User], str]:
    """Return the members whom a text names as @name, with `ask`, and a message about names that ask nobody.

    Of an item that several people answer, or that is answered blind, only leads can be asked: the others may get it to
    answer themselves. Raises InvalidAnswer when `ask` can not be asked.
    """
    sealed = is_sealed(item) or leads_only
    people = {one.user.get_username().lower(): one.user for one in can_be_asked(item=item, sealed=sealed)}
    asked: dict[uuid.UUID, User] = {}
    nobody = []
    for name in _NAMES.findall(text):
        # A sentence may end right behind a name.
        person = people.get(name.lower()) or people.get(name.rstrip(".-+@").lower())
        if person is None:
            nobody.append(name)
        else:
            asked[person.id] = person
    if ask is not None:
        chosen = next((person for person in people.values() if person.id == ask), None)
        if chosen is None:
            raise InvalidAnswer(_("Choose somebody of the list to ask."))
        asked[chosen.id] = chosen
    asked.pop(author.user_id, None)
    return list(asked.values()), _about(nobody, sealed)


def _about(nobody: list[str], leads_only: bool) -> str:
    if not nobody:
        return ""
    if leads_only:
        return _("Saved. Only leads can be asked here, so that answers stay independent; others were not told.")
    return ngettext(
        "Saved. A name in it is nobody's who reviews here: nobody was told.",
        "Saved. %(count)d names in it are nobody's who reviews here: nobody was told.",
        len(nobody),
    ) % {"count": len(nobody)}
