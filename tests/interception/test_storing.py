"""Checks that are stored together: rows, events and review items of each, and no harm from a neighbour."""

from __future__ import annotations

import datetime as dt

import pytest
from django.db import DataError, connection
from django.utils import timezone

from review.models import ReviewItem
from screening.findings import JobResult, RuleResult
from tests.factories import Cast, make_cast
from webapp.audit.models import AuditEvent
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
