"""Checks that are stored together: rows, events and review items of each, and no harm from a neighbour."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import pytest
from django.db import DataError, OperationalError, connection
from django.utils import timezone
from psycopg.errors import DeadlockDetected

from review.models import ReviewItem
from screening.findings import JobResult, RuleResult
from tests.factories import Cast, make_cast
from webapp.audit.models import AuditEvent
from webapp.interception import storing
from webapp.interception.auth import callers
from webapp.interception.models import Check, CheckContent
from webapp.interception.rows import Intake
from webapp.interception.schemas import CheckRequest
from webapp.interception.screening import conclude_job, make_job
from webapp.interception.storing import Concluded, IdempotencyConflict, store, store_each
from workers.client import Screening

NOW = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)


@pytest.fixture
def cast(db: None) -> Cast:
    return make_cast()


def concluded(cast: Cast, output: str, key: str | None = None, *, scanned: bool = True) -> Concluded:
    intake = Intake(cast.application, cast.policy_version, CheckRequest(output=output), key)
    rules = {"gpu": "moderation", "cpu": "pii"}
    screening = Screening({queue: JobResult((RuleResult(rule),)) for queue, rule in rules.items()} if scanned else {})  # type: ignore[misc]
    job = make_job(cast.policy_version, intake.texts, 1000)
    return Concluded(intake, conclude_job(job, cast.project.id, screening), timezone.now())


def outputs() -> set[str | None]:
    return set(CheckContent.objects.values_list("output", flat=True))


def test_all_that_belongs_to_each_is_stored(cast: Cast) -> None:
    several = [concluded(cast, "a"), concluded(cast, "b", scanned=False), concluded(cast, "c", key="k")]
    checks = store(several)
    assert [check.content.output for check in checks if isinstance(check, Check)] == ["a", "b", "c"]
    assert [check.verdict for check in Check.objects.order_by("id")] == ["allow", "hold", "allow"]
    assert list(ReviewItem.objects.values_list("checked__content__output", "triggers__kind")) == [("b", "held")]
    assert AuditEvent.objects.filter(type="check.concluded").count() == 3


def test_what_every_check_runs_stays_prepared(cast: Cast) -> None:
    store([concluded(cast, "a")])
    assert callers([cast.api_key])
    with connection.cursor() as cursor:
        cursor.execute("SELECT left(statement, 6) FROM pg_prepared_statements")
        assert {start for (start,) in cursor.fetchall()} >= {"SELECT", "WITH p"}


def test_a_sample_of_what_nothing_was_found_in_is_reviewed(cast: Cast) -> None:
    cast.project.random_review_rate = 1.0
    cast.application.project = cast.project
    store([concluded(cast, "a")])
    assert list(ReviewItem.objects.values_list("triggers__kind", "triggers__inclusion_prob")) == [("sampled", 1.0)]


def test_a_key_that_was_used_costs_the_others_nothing(cast: Cast) -> None:
    (before,) = store([concluded(cast, "first", key="used")])
    wanted = [concluded(cast, "a"), concluded(cast, "other", key="used"), concluded(cast, "first", key="used")]
    one, conflict, twin, last = store([*wanted, concluded(cast, "b")])
    assert isinstance(conflict, IdempotencyConflict)
    assert twin == before
    assert [check.content.output for check in (one, last) if isinstance(check, Check)] == ["a", "b"]
    assert outputs() == {"first", "a", "b"}
    assert AuditEvent.objects.filter(type="check.concluded").count() == 3


def test_twins_in_one_group_are_one_check(cast: Cast) -> None:
    one, two = store([concluded(cast, "same", key="k"), concluded(cast, "same", key="k")])
    assert one == two
    assert Check.objects.count() == 1


def test_a_row_that_can_not_be_stored_costs_the_others_nothing(cast: Cast) -> None:
    outcomes = store_each([concluded(cast, "a"), concluded(cast, "x" * 9 + "\0"), concluded(cast, "b")])
    assert isinstance(outcomes[1], DataError | ValueError)
    assert outputs() == {"a", "b"}
    assert Check.objects.count() == AuditEvent.objects.filter(type="check.concluded").count() == 2


@pytest.fixture
def tried(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Return how many were stored together, each time that it was tried."""
    sizes: list[int] = []
    store_all = storing._store_all

    def count(several: Sequence[Concluded]) -> list[Check]:
        sizes.append(len(several))
        return store_all(several)

    monkeypatch.setattr(storing, "_store_all", count)
    return sizes


@pytest.fixture
def deadlocked_together(tried: list[int], monkeypatch: pytest.MonkeyPatch) -> None:
    """Let several at once meet a deadlock, and one alone not."""
    store_all = storing._store_all

    def fail(several: Sequence[Concluded]) -> list[Check]:
        if len(several) > 1:
            raise OperationalError from DeadlockDetected()
        return store_all(several)

    monkeypatch.setattr(storing, "_store_all", fail)


@contextmanager
def nobody_gets_in() -> Iterator[None]:
    """Hold the table of checks locked; this connection waits for locks as web processes do, only not as long."""
    other = connection.copy()
    other.set_autocommit(False)
    with other.cursor() as cursor:
        cursor.execute("LOCK TABLE interception_check IN ACCESS EXCLUSIVE MODE")
    with connection.cursor() as cursor:
        cursor.execute("SET lock_timeout = '100ms'")
    try:
        yield
    finally:
        other.rollback()
        other.close()
        connection.close()


@pytest.mark.django_db(transaction=True)
def test_what_waited_in_vain_together_does_not_wait_again_one_by_one(cast: Cast, tried: list[int]) -> None:
    several = [concluded(cast, output) for output in "abc"]
    with nobody_gets_in(), pytest.raises(OperationalError):
        store_each(several)
    assert tried == [3]
    assert store_each(several) == [*Check.objects.order_by("id")]


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("deadlocked_together")
def test_the_first_that_waits_in_vain_alone_is_the_last(cast: Cast, tried: list[int]) -> None:
    several = [concluded(cast, output) for output in "abc"]
    with nobody_gets_in():
        assert {type(outcome) for outcome in store_each(several)} == {OperationalError}
    assert tried == [1]


@pytest.mark.usefixtures("deadlocked_together")
def test_what_met_a_deadlock_together_is_stored_one_by_one(cast: Cast) -> None:
    store_each([concluded(cast, output) for output in "abc"])
    assert outputs() == {"a", "b", "c"}
