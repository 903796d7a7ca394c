"""A few near-duplicates to read: the most different ones, with what differs."""

from __future__ import annotations

import difflib
import re
from collections.abc import Sequence
from dataclasses import dataclass

from review.clusters.members import LEFT_OUT, Member
from review.clusters.subjects import subject_of
from review.models import ReviewItem
from review.page_rows import message_text
from webapp.interception.models import CheckContent

SAMPLES = 4
#: How many are compared with the item, to choose the samples from: those least like the exemplar.
COMPARED = 24
#: How much of a text is searched for changes, in code points.
SEARCHED = 6_000
#: Of what is equal this much is shown around a change, in code points.
AROUND = 60
_WORDS = re.compile(r"\w+|\s+|[^\w\s]")


@dataclass(frozen=True, slots=True)
class Sample:
    """A near-duplicate. `changes` make the item's output into its: ("same", "added", "removed" or "cut", text)."""

    item: ReviewItem
    left_out: str
    percent: int
    changes: list[tuple[str, str]]
    said: str
    characters: int


def choose_samples(item: ReviewItem, members: Sequence[Member]) -> list[Sample]:
    """Return the most different ones among `members`, the least similar first."""
    apart = sorted(members, key=lambda member: (member.item.similarity or 0.0, member.item.id))[:COMPARED]
    texts = CheckContent.objects.in_bulk([member.item.checked_id for member in apart])
    own = subject_of(item.checked.content)
    likeness = {
        member.item.id: own.similarity(subject_of(texts.get(member.item.checked_id)))
        for member in apart
        if member.item.checked_id in texts
    }
    readable = [member for member in apart if member.item.id in likeness]
    chosen = sorted(readable, key=lambda member: (likeness[member.item.id], member.item.id))[:SAMPLES]
    return [_sample(item, member, likeness[member.item.id], texts[member.item.checked_id]) for member in chosen]


def _sample(item: ReviewItem, member: Member, likeness: float, content: CheckContent) -> Sample:
    asked = [one for one in content.messages if one.get("role") == "user"]
    return Sample(
        item=member.item,
        left_out=str(LEFT_OUT[member.left_out]) if member.left_out else "",
        percent=int(likeness * 100),
        changes=changes(item.checked.content.output or "", content.output or ""),
        said=message_text(asked[-1])[:300] if asked else "",
        characters=len(content.output or ""),
    )


def changes(before: str, after: str) -> list[tuple[str, str]]:
    """Return what makes `before` into `after`, by words; of what is equal only the edges beside a change."""
    one, other = (_WORDS.findall(text[:SEARCHED]) for text in (before, after))
    pieces: list[tuple[str, str]] = []
    for tag, i, j, k, m in difflib.SequenceMatcher(a=one, b=other).get_opcodes():
        if tag == "equal":
            pieces.append(("same", "".join(one[i:j])))
            continue
        pieces += [("removed", "".join(one[i:j]))] if j > i else []
        pieces += [("added", "".join(other[k:m]))] if m > k else []
    if max(len(before), len(after)) > SEARCHED:
        pieces.append(("cut", "…"))
    return _cut(pieces)


def _cut(pieces: list[tuple[str, str]]) -> list[tuple[str, str]]:
    if len(pieces) <= 1:
        return pieces
    short: list[tuple[str, str]] = []
    for number, (kind, text) in enumerate(pieces):
        if kind != "same" or len(text) <= 2 * AROUND:
            short.append((kind, text))
            continue
        head = text[:AROUND] if number else ""
        tail = text[-AROUND:] if number < len(pieces) - 1 else ""
        short += [("same", head)] * bool(head) + [("cut", "…")] + [("same", tail)] * bool(tail)
    return short
