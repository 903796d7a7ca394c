"""Appeals that come at the same moment as each other, as a lead's reopening, and as a result that is late."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

import pytest
from django.db import connection, transaction

from review.errors import InvalidAnswer, NotContestable, ReviewError, TooManyAppeals
from review.models import Appeal, Assignment, ReviewItem
from review.services import AppealRequest, appeal_limits, decisions, make_appeal, reopen
from screening.findings import OUTPUT, Finding, JobResult, RuleResult
from tests.factories import Cast, make_cast, make_check
from tests.review.test_locking import while_it_waits
from tests.review.working import answer, claim_one, member, new_item, queue_of
from webapp.interception.late import attach_late_results
from webapp.interception.models import Check, Release
from webapp.interception.releases import record_release

pytestmark = pytest.mark.django_db(transaction=True)

T = TypeVar("T")


def at_once(*calls: Callable[[], T]) -> list[T | ReviewError]:
    """Return what calls that begin at the same moment return or refuse."""
    start = threading.Barrier(len(calls))

    def run(call: Callable[[], T]) -> T | ReviewError:
        start.wait(10)
        try:
            return call()
        except ReviewError as refused:
            return refused
        finally:
            connection.close()

    with ThreadPoolExecutor(len(calls)) as pool:
        return list(pool.map(run, calls))


def blocked_item(cast: Cast) -> ReviewItem:
    queue_of(cast, undo_seconds=0)
    item = new_item(cast)
    reviewer = member(cast, cast.reviewer)
    answer(claim_one(cast, reviewer), reviewer, "block")
    return item


def appealing(cast: Cast, check: Check, **fields: str) -> Callable[[], tuple[Appeal, bool]]:
    wanted = AppealRequest(reason="No.", **fields)
    return lambda: make_appeal(check=check, application=cast.application, wanted=wanted)


def test_of_many_appeals_at_once_one_is_made() -> None:
    cast = make_cast()
    for check in (blocked_item(cast).checked, make_check(cast, verdict="block", review="")):
        results = at_once(*[appealing(cast, check)] * 4)
        assert [type(result) for result in results if not isinstance(result, tuple)] == [NotContestable] * 3
        assert Appeal.objects.filter(checked=check).count() == 1
        assert Assignment.objects.filter(item__checked=check, state="open").count() == 1


def test_retries_at_once_get_the_one_that_is_made() -> None:
    cast = make_cast()
    check = blocked_item(cast).checked
    results = at_once(*[appealing(cast, check, idempotency_key="k")] * 4)
    made = [result for result in results if isinstance(result, tuple)]
    assert sorted(new for _, new in made) == [False, False, False, True]
    assert len({appeal.id for appeal, _ in made}) == 1


@pytest.mark.parametrize(
    ("limit", "fields"),
    [("PER_APPLICATION", {}), ("PER_END_USER", {"end_user": "u-1"})],
    ids=["application", "end user"],
)
def test_two_appeals_at_once_do_not_both_get_the_last_room(
    limit: str, fields: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    cast = make_cast()
    monkeypatch.setattr(appeal_limits, limit, 1)
    first, second = (make_check(cast, verdict="block", review="") for _ in range(2))
    with transaction.atomic():
        appealing(cast, first, **fields)()
        other = while_it_waits(appealing(cast, second, **fields))
    with pytest.raises(TooManyAppeals):
        other.result(timeout=10)
    assert Appeal.objects.count() == 1


def test_an_appeal_and_a_lead_who_opens_the_item_again_make_one_cycle() -> None:
    cast = make_cast()
    lead = member(cast, cast.lead)
    for _ in range(3):
        item = blocked_item(cast)

        def open_again(item: ReviewItem = item) -> ReviewItem:
            return reopen(item=item, membership=lead, reason="Look again.")

        calls: list[Callable[[], Any]] = [appealing(cast, item.checked), open_again]
        refused = [result for result in at_once(*calls) if isinstance(result, ReviewError)]
        assert [type(error) for error in refused] in ([NotContestable], [InvalidAnswer])
        item.refresh_from_db()
        assert item.cycle == 2
        ReviewItem.objects.filter(pk=item.pk).update(state="cancelled")
        item.assignments.update(state="void")


def test_a_late_result_does_not_stop_the_decision_that_is_being_made(monkeypatch: pytest.MonkeyPatch) -> None:
    cast = make_cast()
    check = make_check(cast, verdict="allow", review="flagged")
    check.unscanned = [{"rule": "slow", "reason": "deadline", "awaits": ["cpu"]}]
    check.save()
    reviewer = member(cast, cast.reviewer)
    slot = claim_one(cast, reviewer)
    deciding = threading.Event()

    def release_while_the_other_waits(**facts: Any) -> Release:
        deciding.set()  # with the item locked; the check comes now
        wait_for_a_lock()
        return record_release(**facts)

    def attach() -> Any:
        assert deciding.wait(10)
        found = Finding("slow", "pii", "EMAIL_ADDRESS", 1.0, None, "flag", OUTPUT, 0, 3, "presidio", "")
        return attach_late_results(check.id, {"cpu": JobResult((RuleResult("slow", (found,)),))})

    monkeypatch.setattr(decisions, "record_release", release_while_the_other_waits)
    submitted, attached = at_once(lambda: answer(slot, reviewer, "release"), attach)
    assert attached is True
    assert not isinstance(submitted, ReviewError)
    assert submitted.decision is not None


def wait_for_a_lock() -> None:
    """Return when another session of this database waits for a lock."""
    until = time.monotonic() + 10
    while time.monotonic() < until:
        with connection.cursor() as cursor:
            cursor.execute("SELECT count(*) FROM pg_locks WHERE NOT granted")
            if cursor.fetchone() != (0,):
                return
    raise AssertionError("nobody waited for a lock")
