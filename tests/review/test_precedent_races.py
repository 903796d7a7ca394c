"""Following a precedent while it ends and while reviewers claim, each on a connection of its own."""

from __future__ import annotations

import pytest

from review.models import Assignment
from review.services import claim_items, reopen
from review.services.grouping import group_items
from review.services.precedents import follow_precedents
from tests.factories import make_cast
from tests.review.test_cluster_decisions import letter
from tests.review.test_precedents import precedent
from tests.review.working import another, member, queue_of
from tests.threads import at_once

pytestmark = pytest.mark.django_db(transaction=True)


def test_what_is_claimed_or_comes_after_the_end_does_not_follow() -> None:
    cast = make_cast()
    decided = precedent(cast)
    queue = queue_of(cast, precedents=False)
    items = [letter(cast, name) for name in ("Cy", "Di", "Ed", "Flo", "Gil", "Hal")]
    group_items()
    queue_of(cast, precedents=True)
    lead, second = member(cast, cast.lead), another(cast, "second")
    for item in items:
        item.refresh_from_db()

    def act(number: int) -> None:
        if number == 0:
            reopen(item=decided.item, membership=lead, reason="Look again.")
        elif number == 1:
            claim_items(queue=queue, membership=second, k=3)
        else:
            follow_precedents([items[number - 2], items[number - 3]])

    at_once(act, times=8)
    for item in items:
        item.refresh_from_db()
        assert item.decisions.count() == (item.state == "decided")
    claimed = Assignment.objects.filter(lease_owner=second.user, state="leased").select_related("item")
    # An item that was locked when its slot was claimed stays pending; it is never decided under its reader.
    assert {slot.item.state for slot in claimed} <= {"pending", "in_review"}
    assert follow_precedents(items) == 0
