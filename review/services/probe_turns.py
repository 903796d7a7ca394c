"""Which golden item comes next. Each has its turn, so that a draw reads a few of them however many there are."""

from __future__ import annotations

import uuid
from collections.abc import Set
from dataclasses import dataclass

from django.db import connection
from django.utils import timezone

from review.draws import share_of
from review.models import GoldenItem, Queue
from review.models.items import OPEN_STATES

#: Golden items that a draw looks at: those whose last turn is longest ago.
LOOKED_AT = 32

_NEXT = """
    SELECT golden.id, golden.turn_at,
           CASE WHEN EXISTS (
               SELECT 1 FROM review_reviewitem probe
               WHERE probe.golden_id = golden.id AND probe.state = ANY (%(open)s)) THEN NULL
           ELSE ARRAY(
               SELECT answer.reviewer_id FROM review_annotation answer WHERE answer.item_id = golden.source_id
               UNION
               SELECT answer.reviewer_id FROM review_reviewitem probe
               JOIN review_annotation answer ON answer.item_id = probe.id
               WHERE probe.golden_id = golden.id)
           END
    FROM (SELECT id, source_id, turn_at FROM review_goldenitem
          WHERE queue_id = %(queue)s AND retired_at IS NULL
          ORDER BY turn_at NULLS FIRST, id LIMIT %(most)s) golden
"""
# SKIP LOCKED: who takes one at this moment stores several checks perhaps, and would be waited for, or wait for us. Who
# was first changed the turn that we read.
_TAKE = """
    UPDATE review_goldenitem SET turn_at = %(now)s
    WHERE id IN (
        SELECT id FROM review_goldenitem
        WHERE id = ANY (%(ids)s::uuid[]) AND retired_at IS NULL
          AND (id <> %(chosen)s OR turn_at IS NOT DISTINCT FROM %(turn)s)
        FOR NO KEY UPDATE SKIP LOCKED)
    RETURNING id
"""


@dataclass(frozen=True, slots=True)
class Turn:
    """A golden item, locked, and who answered it, as a probe or before."""

    golden: GoldenItem
    seen: Set[uuid.UUID]


def take_turn(*, queue: Queue, reviewers: Set[uuid.UUID], needed: int, beside: uuid.UUID) -> Turn | None:
    """Take a golden item in use that is not before people and that `needed` of `reviewers` have not answered.

    Which one of those that are looked at depends on `beside`. None when none of them is fit, or somebody else takes it.
    """
    with connection.cursor() as cursor:
        cursor.execute(_NEXT, {"queue": queue.id, "open": list(OPEN_STATES), "most": LOOKED_AT})
        found = {key: (turn_at, None if seen is None else set(seen)) for key, turn_at, seen in cursor.fetchall()}
    fit = {key: seen for key, (_, seen) in found.items() if seen is not None and len(reviewers - seen) >= needed}
    chosen = max(fit, key=lambda key: share_of(beside, str(key)), default=uuid.UUID(int=0))
    # Those that are not fit make room for others, where there are others.
    passed = [key for key in found if key not in fit] if len(found) == LOOKED_AT else []
    ids = [*passed, *({chosen} & fit.keys())]
    if not ids:
        return None
    turn_at = found[chosen][0] if fit else None
    with connection.cursor() as cursor:
        cursor.execute(_TAKE, {"now": timezone.now(), "ids": ids, "chosen": chosen, "turn": turn_at})
        taken = {key for (key,) in cursor.fetchall()}
    if chosen not in taken:
        return None
    return Turn(GoldenItem.objects.select_related("source__checked").get(id=chosen), fit[chosen])
