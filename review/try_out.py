"""What rules would have done: counted over what was put in front of people last."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from review.models import Queue, ReviewItem
from review.routing import Facts, Rule, facts_of, first_met
from webapp.accounts.models import Project

TRIED = 1000


@dataclass(frozen=True, slots=True)
class QueueCount:
    """How many items a queue gets under the rules that hold, and under the draft."""

    queue: Queue
    now: int
    draft: int

    @property
    def difference(self) -> int:
        return self.draft - self.now


@dataclass(frozen=True, slots=True)
class TryOut:
    """`caught` counts the items that each rule of the draft takes; `moved` those that change their queue."""

    total: int
    moved: int
    queues: list[QueueCount]
    caught: list[int]


def try_out(*, project: Project, now: Sequence[Rule], draft: Sequence[Rule]) -> TryOut:
    """Count where the newest TRIED items of the project would go under each of two rule lists, both with a last rule.

    Judged is what is known of the checks today, for the reason that raised them first.
    """
    facts = raised_lately(project)
    before = [rule.queue for rule in _taken(now, facts)]
    after = [rule.queue for rule in _taken(draft, facts)]
    was, becomes = Counter(queue.id for queue in before), Counter(queue.id for queue in after)
    queues = {rule.queue.id: rule.queue for rule in (*now, *draft)}
    rows = [QueueCount(queue, was[key], becomes[key]) for key, queue in queues.items()]
    hits = Counter(first_met(draft, one) for one in facts)
    return TryOut(
        total=len(facts),
        moved=sum(old.id != new.id for old, new in zip(before, after, strict=True)),
        queues=sorted(rows, key=lambda row: row.queue.name),
        caught=[hits[number] for number in range(len(draft))],
    )


def raised_lately(project: Project) -> list[Facts]:
    """Return the facts of the newest TRIED items; three queries, and no texts."""
    items = (
        ReviewItem.objects.real()
        .filter(project=project)
        .select_related("checked")
        .prefetch_related("checked__findings", "triggers")
        .order_by("-created_at", "-id")[:TRIED]
    )
    return [
        facts_of(
            item.checked, list(item.checked.findings.all()), trigger=min(item.triggers.all(), key=lambda t: t.pk).kind
        )
        for item in items
    ]


def _taken(rules: Sequence[Rule], facts: Sequence[Facts]) -> list[Rule]:
    # The last rule has no conditions, so that one is always met.
    return [next(rule for rule in rules if rule.conditions.met_by(one)) for one in facts]
