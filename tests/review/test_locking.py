"""What one transaction holds while another one comes: nobody fails, and nobody waits in a circle."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor

import pytest
from django.db import connection, transaction

from review.models import Annotation, Assignment, ItemTrigger, Queue, ReviewItem
from review.services import claim_items, mark_opened, release_all
from review.services.raising import raise_item
from tests.factories import Cast, make_cast, make_check
from tests.review.golden import decided, golden_of
from tests.review.working import answer, claim_one, member, new_item, queue_of
from tests.threads import at_once

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def cast() -> Cast:
    return make_cast()


def while_it_waits(blocked: Callable[[], object]) -> Future[object]:
    """Begin `blocked` on a connection of its own, and return once it waits for the lock of this transaction."""

    def run() -> object:
        try:
            return blocked()
        finally:
            connection.close()

    pool = ThreadPoolExecutor(1)
    begun = pool.submit(run)
    pool.shutdown(wait=False)
    waits = "SELECT 1 FROM pg_locks WHERE NOT granted AND pg_backend_pid() = ANY (pg_blocking_pids(pid))"
    with connection.cursor() as cursor:
        while not begun.done() and cursor.execute(waits).fetchone() is None:
            pass
    return begun


def test_an_answer_counts_while_a_lead_moves_its_item(cast: Cast) -> None:
    other = Queue.objects.create(project=cast.project, slug="o", name="Other", label_schema=queue_of(cast).label_schema)
    reviewer = member(cast, cast.reviewer)
    new_item(cast)
    slot = claim_one(cast, reviewer)
    with transaction.atomic():
        ReviewItem.objects.update(queue=other)
        submitted = while_it_waits(lambda: answer(slot, reviewer))
    submitted.result(timeout=10)
    assert Annotation.objects.get().counts


def test_who_stops_does_not_wait_for_who_changes_the_slot(cast: Cast) -> None:
    reviewer = member(cast, cast.reviewer)
    new_item(cast)
    new_item(cast)
    first, _second = claim_items(queue=queue_of(cast), membership=reviewer, k=2)
    with transaction.atomic():
        Assignment.objects.filter(id=first.id).update(priority=4.0)
        stopped = while_it_waits(lambda: release_all(queue=first.queue, user=cast.reviewer))
        assert stopped.done()
    assert stopped.result() == 1


def test_an_item_that_was_locked_when_it_was_claimed_is_in_review_once_it_is_opened(cast: Cast) -> None:
    item, reviewer = new_item(cast), member(cast, cast.reviewer)
    with transaction.atomic():
        ReviewItem.objects.lock(item.id)
        claimed = while_it_waits(lambda: claim_items(queue=queue_of(cast), membership=reviewer, k=1))
        assert claimed.done()
    item.refresh_from_db()
    assert item.state == "pending"
    mark_opened(slot=Assignment.objects.select_related("item").get(), membership=reviewer)
    item.refresh_from_db()
    assert item.state == "in_review"


def test_what_refers_to_an_item_is_stored_while_it_is_locked(cast: Cast) -> None:
    item = new_item(cast)
    with transaction.atomic():
        ReviewItem.objects.lock(item.id)
        stored = while_it_waits(lambda: ItemTrigger.objects.create(item=item, kind="late"))
        assert stored.done()


def test_a_reason_that_comes_while_the_item_moves_makes_no_second_one(cast: Cast) -> None:
    other = Queue.objects.create(project=cast.project, slug="o", name="Other", label_schema=queue_of(cast).label_schema)
    item = new_item(cast)
    with transaction.atomic():
        ReviewItem.objects.update(queue=other)
        raised = while_it_waits(lambda: raise_item(check=item.checked, kind="late"))
    assert raised.result(timeout=10) == item
    assert ReviewItem.objects.count() == 1


def test_of_items_that_come_at_the_same_moment_one_gets_the_golden_item_beside_it(cast: Cast) -> None:
    golden = golden_of(cast, decided(cast))
    queue_of(cast, golden_rate=1.0)

    def come(_: int) -> None:
        with transaction.atomic():
            make_check(cast)

    at_once(come, times=4)
    assert ReviewItem.objects.real().count() == 5
    assert ReviewItem.objects.filter(golden=golden).count() == 1
