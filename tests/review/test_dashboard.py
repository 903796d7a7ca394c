"""What the lead's dashboard counts, and how it reads it."""

from __future__ import annotations

import datetime as dt
import re

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from review.dashboard.figures import Section, read_dashboard
from review.dashboard.intervals import Share
from review.models import Annotation, Assignment, Queue, ReviewItem
from review.services import claim_items, show, skip, sweep_leases
from tests.factories import Cast
from tests.review.working import another, answer, claim_one, member, new_item, queue_of, run_out

HOUR = dt.timedelta(hours=1)


def url(cast: Cast) -> str:
    return reverse("review:dashboard", args=[cast.project.slug])


def total(cast: Cast) -> Section:
    return read_dashboard(project=cast.project).total


def decide(cast: Cast, outcome: str = "release", **fields: object) -> ReviewItem:
    item = new_item(cast)
    reviewer = member(cast, cast.reviewer)
    answer(claim_one(cast, reviewer), reviewer, outcome, **fields)
    return item


def test_what_waits_is_counted_by_severity_and_age(cast: Cast) -> None:
    decide(cast)
    now = timezone.now()
    for severity, age in ((4, 0), (4, 2), (0, 30), (1, 30), (3, 5)):
        item = new_item(cast)
        ReviewItem.objects.filter(pk=item.pk).update(severity=severity, created_at=now - age * HOUR)
    rows = {row.name: row.by_age for row in total(cast).severities}
    assert rows == {
        "critical": [1, 0, 1, 0, 0],
        "high": [0, 0, 0, 1, 0],
        "medium": [0, 0, 0, 0, 0],
        "low": [0, 0, 0, 0, 2],
    }


def test_overdue_soon_due_and_with_leads_are_counted(cast: Cast) -> None:
    now = timezone.now()
    for minutes, state in ((-5, "pending"), (30, "in_review"), (30, "escalated"), (90, "pending"), (-5, "decided")):
        item = new_item(cast)
        due = now + dt.timedelta(minutes=minutes)
        ReviewItem.objects.filter(pk=item.pk).update(sla_due_at=due, state=state)
    section = total(cast)
    assert (section.waiting, section.overdue, section.due_soon, section.with_leads) == (4, 1, 2, 1)


def test_a_queue_that_shrinks_gets_empty(cast: Cast) -> None:
    queue_of(cast, undo_seconds=0)
    hours_ago = timezone.now() - 5 * HOUR
    for _ in range(4):
        new_item(cast)
    for _ in range(6):
        decide(cast)
    ReviewItem.objects.update(created_at=hours_ago)
    board = read_dashboard(project=cast.project)
    assert board.total.forecast.empty_at is not None
    left = board.total.forecast.empty_at - board.at
    assert (board.total.forecast.decided_per_hour, left) == (2.0, 2 * HOUR)


@pytest.mark.parametrize("decided", [0, 1])
def test_a_queue_that_grows_never_gets_empty(cast: Cast, decided: int) -> None:
    new_item(cast)
    for _ in range(decided):
        decide(cast)
    found = total(cast).forecast
    assert (found.empty_at, found.never) == (None, True)


def test_an_empty_queue_has_no_forecast(cast: Cast) -> None:
    decide(cast)
    assert (total(cast).forecast.empty_at, total(cast).forecast.never) == (None, False)


def test_throughput_is_counted_by_the_hour(cast: Cast) -> None:
    now = timezone.now()
    for ago in (0.1, 0.2, 2.5, 11.9, 12.1):
        item = decide(cast)
        ReviewItem.objects.filter(pk=item.pk).update(decided_at=now - ago * HOUR, created_at=now - 20 * HOUR)
    decided = {hour.ago: hour.decided for hour in total(cast).hours if hour.decided}
    assert decided == {0: 2, 2: 1, 11: 1}


def test_active_time_is_the_median_over_decisions_of_all_that_was_spent(cast: Cast) -> None:
    for milliseconds in (1000, 3000, 9000):
        decide(cast, active_ms=milliseconds)
    decide(cast)  # it says no time
    queue_of(cast, required_reviews=2)
    new_item(cast)
    for who in (another(cast, "a"), another(cast, "b")):
        answer(claim_one(cast, who), who, active_ms=2500)
    active = total(cast).active
    assert active is not None
    assert (active.milliseconds, active.decisions) == (4000, 4)


def test_skips_are_counted_by_reason(cast: Cast) -> None:
    for reason in ("unclear", "unclear", "wrong language"):
        new_item(cast)
        who = another(cast, f"skips {ReviewItem.objects.count()}")
        slot = claim_one(cast, who)
        assert slot.lease_token is not None
        skip(slot=slot, membership=who, lease_token=slot.lease_token, reason=reason)
    assert total(cast).skips == [("unclear", 2), ("wrong language", 1)]


@pytest.mark.parametrize("swept", [True, False])
@pytest.mark.parametrize("shown", [True, False])
def test_a_lease_that_ran_out_on_screen_is_counted_once(cast: Cast, swept: bool, shown: bool) -> None:
    new_item(cast)
    slot = claim_one(cast, member(cast, cast.reviewer))
    assert slot.lease_token is not None
    if shown:
        show(slot=slot, user=cast.reviewer, lease_token=slot.lease_token)
    run_out(slot)
    if swept:
        assert sweep_leases() == 1
    claim_one(cast, another(cast, "second"))
    assert total(cast).expiries == int(shown)


def test_overturned_verdicts_are_counted_by_rule(cast: Cast) -> None:
    for outcome in ("release", "block", "redact"):
        decide(cast, outcome)
    allowed = new_item(cast, verdict="allow", findings=[], review="sampled")
    reviewer = member(cast, cast.reviewer)
    answer(claim_one(cast, reviewer), reviewer, "block")
    assert allowed.checked.findings.count() == 0
    new_item(cast)  # not decided
    rules = read_dashboard(project=cast.project).rules
    assert rules == [("moderation", Share(1, 3)), ("pii", Share(1, 3)), (None, Share(1, 1))]


def test_agreement_is_counted_where_two_answered(cast: Cast) -> None:
    queue = queue_of(cast, required_reviews=2)
    reviewers = [another(cast, name) for name in ("a", "b", "c")]
    for outcomes in (["block", "block"], ["block", "release", "block"], ["", "block", "block"]):
        new_item(cast)
        for who, outcome in zip(reviewers, outcomes, strict=False):
            answer(claim_one(cast, who), who, outcome)
    assert Annotation.objects.count() == 8
    assert read_dashboard(project=cast.project).agreements == [(queue, Share(1, 3))]


@pytest.mark.parametrize(
    ("part", "whole", "low", "high"), [(0, 0, 0, 1), (0, 10, 0, 0.2775), (5, 10, 0.2366, 0.7634), (10, 10, 0.7225, 1)]
)
def test_intervals_are_those_of_wilson(part: int, whole: int, low: float, high: float) -> None:
    share = Share(part, whole)
    assert [share.low, share.high] == pytest.approx([low, high], abs=1e-4)


def test_queues_have_their_own_sections_and_other_projects_none(cast: Cast) -> None:
    first = queue_of(cast)
    second = Queue.objects.create(project=cast.project, slug="z", name="Z", label_schema=first.label_schema)
    items = [new_item(cast) for _ in range(3)]
    ReviewItem.objects.filter(pk=items[0].pk).update(queue=second)
    board = read_dashboard(project=cast.project)
    assert [(section.queue, section.waiting) for section in board.queues] == [(first, 2), (second, 1)]
    assert read_dashboard(project=cast.other_project).total.waiting == 0


def test_no_name_of_a_reviewer_is_on_it(cast: Cast, client: Client) -> None:
    who = another(cast, "zdenka")
    new_item(cast)
    answer(claim_one(cast, who), who, active_ms=500)
    client.force_login(cast.lead)
    page = client.get(url(cast))
    assert page.status_code == 200
    assert "zdenka" not in page.text


def test_every_figure_with_a_link_leads_to_as_many_items(cast: Cast, client: Client) -> None:
    for outcome in ("release", "block"):
        decide(cast, outcome)
    allowed = new_item(cast, verdict="allow", findings=[], review="sampled")
    reviewer = member(cast, cast.reviewer)
    answer(claim_one(cast, reviewer), reviewer, "block")
    assert allowed.checked.findings.count() == 0
    for hours in (0.5, 2, 30):
        item = new_item(cast)
        due = timezone.now() + dt.timedelta(minutes=10 if hours < 1 else -10)
        ReviewItem.objects.filter(pk=item.pk).update(created_at=timezone.now() - hours * HOUR, sla_due_at=due)
    who = another(cast, "skips")
    slot = claim_one(cast, who)
    assert slot.lease_token is not None
    skip(slot=slot, membership=who, lease_token=slot.lease_token, reason="unclear")
    client.force_login(cast.lead)
    page = client.get(url(cast)).text
    links = re.findall(r'<a href="([^"]*/items/[^"]*)">(\d+)</a>', page)
    assert len(links) > 15
    for address, figure in links:
        items = client.get(address.replace("&amp;", "&")).context["items"]
        assert len(items) == int(figure), address


def test_htmx_gets_the_figures_alone(cast: Cast, client: Client) -> None:
    new_item(cast)
    client.force_login(cast.lead)
    fragment = client.get(url(cast), headers={"hx-request": "true"}).text
    assert "Waiting, by severity and age" in fragment
    assert "<html" not in fragment
    assert "<h1>" in client.get(url(cast)).text


def test_many_queues_and_items_take_no_more_queries(
    cast: Cast, client: Client, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    schema = queue_of(cast).label_schema
    for number in range(4):
        Queue.objects.create(project=cast.project, slug=f"q{number}", name=f"Q {number}", label_schema=schema)
        decide(cast)
        new_item(cast)
    client.force_login(cast.lead)
    with django_assert_num_queries(14):  # session, user, membership, and eleven
        client.get(url(cast))


BULK = """
    INSERT INTO review_reviewitem (id, project_id, check_id, queue_id, cycle, state, severity, priority, sla_due_at,
                                   language, version, escalation_note, created_at, decided_at)
    SELECT gen_random_uuid(), i.project_id, i.check_id, i.queue_id, 1, 'decided', n %% 5, 1, now(), '', 1, '',
           now() - n * interval '5 minutes', now() - n * interval '5 minutes'
    FROM review_reviewitem i, generate_series(1, 100000) n WHERE i.id = %s;
    INSERT INTO review_assignment (id, item_id, slot_no, role, state, queue_id, priority, sla_due_at)
    SELECT gen_random_uuid(), i.id, 1, 'primary', 'submitted', i.queue_id, 1, now()
    FROM review_reviewitem i WHERE i.state = 'decided' AND id NOT IN (SELECT item_id FROM review_assignment);
    ANALYZE review_reviewitem; ANALYZE review_assignment"""


def test_no_query_reads_all_items_or_all_slots(cast: Cast) -> None:
    decide(cast)
    item = new_item(cast)
    claim_items(queue=queue_of(cast), membership=member(cast, cast.reviewer))
    with connection.cursor() as cursor:
        cursor.execute(BULK, [item.id])
    assert Assignment.objects.count() > 100_000
    with CaptureQueriesContext(connection) as captured:
        read_dashboard(project=cast.project)
    plans = [_plan(query["sql"]) for query in captured.captured_queries]
    assert len(plans) == 11
    scanned = [plan for plan in plans if re.search(r"Seq Scan on review_(reviewitem|assignment)", plan)]
    assert scanned == []


def _plan(sql: str) -> str:
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN {sql}")
        return "\n".join(row[0] for row in cursor.fetchall())
