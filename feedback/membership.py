"""Choose the members of a version: duplicates out, groups found, splits given."""

from __future__ import annotations

import json
import uuid
from collections import Counter
from dataclasses import dataclass, field

from django.db import transaction
from django.db.models import QuerySet

from feedback import splits
from feedback.groups import Groups, fingerprint
from feedback.jobs import Progress
from feedback.keys import keyed, project_key
from feedback.messages import plain_messages
from feedback.records import Place
from feedback.selectors import PAGE, pages
from review.models import ReviewItem
from review.near import MIN_TEXT, folded
from webapp.accounts.models import Project


@dataclass(slots=True)
class Member:
    """An item and what it is grouped by."""

    item_id: uuid.UUID
    number: int
    keys: tuple[bytes, ...]


@dataclass(slots=True)
class Plan:
    """Who is in, in order, and where; what was left out, in counts."""

    members: list[tuple[uuid.UUID, Place]] = field(default_factory=list)
    leakage: dict[str, int] = field(default_factory=dict)

    def split_counts(self) -> dict[str, int]:
        counts = Counter(place.split for _, place in self.members)
        return {split.value: counts[split.value] for split in splits.SHARES}


def plan(
    *, project: Project, items: QuerySet[ReviewItem], progress: Progress | None = None, keep: bool = False
) -> Plan:
    """Return the plan of a version of `items` (in the order of decision).

    Of exact duplicates (equal conversation and output) the newest decision stays. `keep` records the splits of what is
    new, for ever; without it (a preview) nothing is written.
    """
    groups, members, root_keys, duplicates = _grouped(project, items, progress)
    salt = project_key(project.id, "split")
    with transaction.atomic():
        if keep:
            # Two freezes at once must not give one text two splits.
            Project.objects.select_for_update(no_key=True).get(pk=project.pk)
        assigned = splits.assign(project_id=project.id, groups=groups, root_keys=root_keys, salt=salt)
        if keep:
            splits.record(project_id=project.id, groups=groups, assigned=assigned)
    result = Plan()
    misplaced = 0
    for member in members:
        root = groups.root(member.number)
        if assigned.misplaced(root, member.keys):
            misplaced += 1
            continue
        result.members.append((member.item_id, Place(group=root_keys[root].hex(), split=assigned.of_root[root])))
    result.leakage = _leakage(result, groups, duplicates, misplaced)
    return result


def _grouped(
    project: Project, items: QuerySet[ReviewItem], progress: Progress | None
) -> tuple[Groups, list[Member], dict[int, bytes], int]:
    groups, key = Groups(), project_key(project.id, "group")
    newest: dict[bytes, Member] = {}
    first_key: dict[int, bytes] = {}
    seen = duplicates = 0
    total = items.count()
    chosen = items.select_related("checked__content")
    for page in pages(chosen, size=PAGE):
        for item in page:
            exact, keys, text = _identity(item, key)
            number = groups.add(keys, text)
            first_key[number] = keys[0]
            # Taken out and put in again, so that the newest of its kind stands at its own place in the order.
            duplicates += newest.pop(exact, None) is not None
            newest[exact] = Member(item.id, number, keys)
        seen += len(page)
        if progress:
            progress(seen, 2 * max(total, seen))
    roots = {groups.root(number) for number in first_key}
    return groups, list(newest.values()), {root: first_key[root] for root in roots}, duplicates


def _identity(item: ReviewItem, key: bytes) -> tuple[bytes, tuple[bytes, ...], str | None]:
    """Return what tells exact duplicates, the keys of conversation (if named) and text, and the text to compare."""
    content = item.checked.content
    conversation = json.dumps(plain_messages(content.messages), sort_keys=True)
    output = content.output
    exact = fingerprint(conversation, "" if output is None else "output:" + output)
    text = folded(output or "")
    long = len(text) >= MIN_TEXT
    keys = [keyed(key, "text", text) if long else keyed(key, "exchange", conversation, text)]
    if named := item.checked.conversation_id:
        # Applications count their conversations each for itself.
        keys.insert(0, keyed(key, "conversation", str(item.checked.application_id), named))
    return exact, tuple(keys), text if long else None


def _leakage(result: Plan, groups: Groups, duplicates: int, misplaced: int) -> dict[str, int]:
    sizes = Counter(place.group for _, place in result.members)
    torn = {place.group: set[str]() for _, place in result.members}
    for _, place in result.members:
        torn[place.group].add(place.split)
    return {
        "groups": len(sizes),
        "largest_group": max(sizes.values(), default=0),
        "exact_duplicates_removed": duplicates,
        "near_duplicates_grouped": groups.near_duplicates,
        "quarantined": misplaced,
        "groups_in_two_splits": sum(len(found) > 1 for found in torn.values()),
    }
