"""Golden items take turns: a draw costs the same however many there are, and none is forgotten."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from review.models import GoldenItem, ReviewItem
from review.services import probe_turns
from tests.factories import Cast
from tests.review.golden import decided, finish, golden_of
from tests.review.working import another, answer, claim_one, new_item, queue_of
from webapp.accounts.models import Membership


def many_golden(cast: Cast, number: int) -> list[GoldenItem]:
    return [golden_of(cast, decided(cast, output=f"Output number {n}.")) for n in range(number)]


def draw(cast: Cast) -> ReviewItem | None:
    """Let an item come in, and return the probe that came beside it; nothing of it waits then."""
    queue_of(cast, golden_rate=1.0)
    new_item(cast).assignments.update(state="void")
    queue_of(cast, golden_rate=0.0)
    return ReviewItem.objects.filter(golden__isnull=False, state="pending").select_related("golden").first()


def take_away(probe: ReviewItem) -> None:
    ReviewItem.objects.filter(id=probe.id).update(state="cancelled")
    probe.assignments.update(state="void")


def test_a_draw_reads_a_few_by_index_however_many_there_are(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    many_golden(cast, 4)
    monkeypatch.setattr(probe_turns, "LOOKED_AT", 2)
    with CaptureQueriesContext(connection) as queries:
        assert draw(cast) is not None
    asked = [sql for query in queries if "SELECT" in (sql := query["sql"] or "") and "review_goldenitem" in sql]
    reads = [sql for sql in asked if not sql.lstrip().startswith(("UPDATE", "INSERT"))]
    with connection.cursor() as cursor:
        assert all(len(cursor.execute(sql).fetchall()) <= 2 for sql in reads)
        cursor.execute("SET LOCAL enable_seqscan = off")  # a few rows are read faster without an index
        cursor.execute("SET LOCAL enable_sort = off")
        plans = ["\n".join(line for (line,) in cursor.execute(f"EXPLAIN {sql}").fetchall()) for sql in asked]
    assert not [plan for plan in plans if "Seq Scan" in plan or "Sort Key: review_goldenitem" in plan]
    assert any("golden_turns" in plan for plan in plans)


def test_the_statements_of_a_check_are_the_same_with_many(cast: Cast) -> None:
    def statements() -> int:
        with CaptureQueriesContext(connection) as queries:
            probe = draw(cast)
        assert probe is not None
        take_away(probe)
        return len(queries)

    many_golden(cast, 1)
    one = statements()
    many_golden(cast, 3)
    assert statements() == one


def test_what_everybody_answered_makes_room_for_others(
    cast: Cast, reviewer: Membership, monkeypatch: pytest.MonkeyPatch
) -> None:
    items = [new_item(cast) for _ in range(2)]
    for _ in items:
        finish(answer(claim_one(cast, reviewer), reviewer, "block"))
    answered = [golden_of(cast, item) for item in items]
    [fresh] = many_golden(cast, 1)
    monkeypatch.setattr(probe_turns, "LOOKED_AT", 2)
    assert draw(cast) is None
    probe = draw(cast)
    assert probe is not None
    assert probe.golden == fresh
    take_away(probe)
    another(cast, "newcomer")
    monkeypatch.setattr(probe_turns, "LOOKED_AT", 1)
    drawn = set()
    for _ in range(3):
        probe = draw(cast)
        assert probe is not None
        take_away(probe)
        drawn.add(probe.golden)
    assert drawn == {*answered, fresh}, "they are fresh to who came later"


def test_each_has_its_turn(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(probe_turns, "LOOKED_AT", 1)
    golden = many_golden(cast, 3)
    drawn = []
    for _ in range(6):
        probe = draw(cast)
        assert probe is not None
        drawn.append(probe.golden)
        take_away(probe)
    assert drawn == golden * 2
