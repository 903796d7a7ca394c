"""What leads and auditors see of appeals."""

from __future__ import annotations

import datetime as dt
import json

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from review.dashboard.appeals import read_appeals
from review.dashboard.intervals import Share
from review.models import Appeal
from review.own import own_figures
from review.services import AppealRequest, make_appeal, undo_decision
from tests.factories import Cast, make_check
from tests.review.working import another, answer, claim_one, member, new_item, queue_of
from webapp.accounts.models import Membership
from webapp.audit.models import AuditEvent
from webapp.audit.report.activity import ActivityTally
from webapp.audit.report.periods import Period
from webapp.interception.models import Check

PII = {"rule": "pii", "detector": "pii", "category": "EMAIL_ADDRESS", "score": 1.0, "action": "redact"}


def contest(cast: Cast, check: Check) -> Appeal:
    appeal, _ = make_appeal(check=check, application=cast.application, wanted=AppealRequest(reason="No."))
    return appeal


def decide(cast: Cast, who: Membership, outcome: str) -> None:
    answer(claim_one(cast, who), who, outcome)


@pytest.fixture
def contested(cast: Cast) -> None:
    """Contest what a person blocked, twice, and what the machine blocked, twice; one of each is decided anew."""
    queue_of(cast, undo_seconds=0)
    reviewer, second = member(cast, cast.reviewer), another(cast, "second")
    for outcome in ("release", ""):
        item = new_item(cast)
        decide(cast, reviewer, "block")
        contest(cast, item.checked)
        if outcome:
            decide(cast, second, outcome)
    Appeal.objects.filter(outcome="").get().item.assignments.update(state="void")
    for outcome in ("block", ""):
        contest(cast, make_check(cast, verdict="block", review="", findings=[PII]))
        if outcome:
            decide(cast, second, outcome)


def table(since: dt.datetime, until: dt.datetime, id: str) -> list[list[str | int]]:
    """Return the rows of a section of the report on all events in the period."""
    tally = ActivityTally(Period(since, until))
    for index, event in enumerate(AuditEvent.objects.filter(ts__gte=since, ts__lt=until).order_by("ts")):
        tally.add(index, json.loads(bytes(event.envelope)))
    return next(section.rows for section in tally.sections() if section.id == id)


@pytest.mark.usefixtures("contested")
def test_the_report_counts_appeals_by_who_had_decided_and_by_rule(cast: Cast) -> None:
    now = timezone.now()
    day = (now - dt.timedelta(days=1), now + dt.timedelta(days=1))
    assert table(*day, id="appeals") == [
        ["a person", 2, 1, 0, 1, "100.0 %"],
        ["the machine alone", 2, 1, 1, 0, "0.0 %"],
        ["all", 4, 2, 1, 1, "50.0 %"],
    ]
    assert table(*day, id="appeals-by-rule") == [
        ["moderation", 2, 1, 0, 1, "100.0 %"],
        ["pii", 4, 2, 1, 1, "50.0 %"],
    ]


@pytest.mark.usefixtures("contested")
def test_an_appeal_of_another_period_is_not_taken_from_what_is_pending(cast: Cast) -> None:
    first = Appeal.objects.earliest("created_at")
    assert first.decision is not None
    after = (first.created_at + dt.timedelta(microseconds=1), timezone.now() + dt.timedelta(days=1))
    # From after it was made: its decision is in the period.
    assert table(*after, id="appeals")[2] == [
        "all",
        3,
        2,
        1,
        1,
        "50.0 %",
    ]
    # Up to before its decision.
    since = first.created_at - dt.timedelta(days=1)
    assert table(since, first.decision.created_at, id="appeals")[2] == ["all", 1, 1, 0, 0, "–"]


def test_an_answer_that_was_taken_back_leaves_the_appeal_pending(cast: Cast) -> None:
    second = another(cast, "second")
    contest(cast, make_check(cast, verdict="block", review=""))
    decision = answer(claim_one(cast, second), second, "release").decision
    assert decision is not None
    now = timezone.now()
    [all_of_them, *_] = read_appeals(cast.project, now).rows
    assert (all_of_them.made, all_of_them.pending) == (1, 1)
    undo_decision(decision=decision, membership=second)
    day = (now - dt.timedelta(days=1), now + dt.timedelta(days=1))
    assert table(*day, id="appeals")[2] == ["all", 1, 1, 0, 0, "–"]


@pytest.mark.usefixtures("contested")
def test_leads_see_how_often_appeals_are_right(cast: Cast, client: Client) -> None:
    found = read_appeals(cast.project, timezone.now())
    assert (found.pending, found.stuck) == (2, 0)
    assert [(row.rule, row.made, row.pending, row.upheld, row.reversed) for row in found.rows] == [
        (None, 4, 2, 1, 1),
        ("moderation", 2, 1, 0, 1),
        ("pii", 4, 2, 1, 1),
    ]
    client.force_login(cast.lead)
    page = client.get(reverse("review:dashboard", args=[cast.project.slug])).text
    assert "Appeals, last 30 days" in page
    assert f'{reverse("review:browse", args=[cast.project.slug])}?appeal=pending">2</a>' in page


@pytest.mark.usefixtures("contested")
@pytest.mark.parametrize(("wanted", "number"), [("made", 4), ("pending", 2), ("upheld", 1), ("reversed", 1)])
def test_items_are_found_by_their_appeal(cast: Cast, client: Client, wanted: str, number: int) -> None:
    new_item(cast)
    client.force_login(cast.lead)
    page = client.get(reverse("review:browse", args=[cast.project.slug]), {"appeal": wanted})
    assert len(page.context["items"]) == number


def test_leads_are_told_of_appeals_that_wait_for_nobody(cast: Cast, client: Client) -> None:
    queue_of(cast, undo_seconds=0)
    item = new_item(cast)
    lead = member(cast, cast.lead)
    decide(cast, lead, "block")
    contest(cast, item.checked)
    contest(cast, make_check(cast, verdict="block", review=""))
    cast.project.memberships.exclude(user__in=[cast.lead, cast.compliance]).delete()
    found = read_appeals(cast.project, timezone.now())
    assert (found.pending, found.stuck) == (2, 1)
    client.force_login(cast.lead)
    assert "1 of them waits for nobody" in client.get(reverse("review:dashboard", args=[cast.project.slug])).text


def test_a_reviewer_sees_how_many_of_their_decisions_were_reversed(cast: Cast, client: Client) -> None:
    queue_of(cast, undo_seconds=0, required_reviews=2)
    second, third = another(cast, "second"), another(cast, "third")
    for outcome, answers in (("release", "bb"), ("block", "bb"), ("", "bb"), ("release", "rbb")):
        item = new_item(cast)
        for who, letter in zip((member(cast, cast.reviewer), second, third), answers, strict=False):
            decide(cast, who, "block" if letter == "b" else "release")
        contest(cast, item.checked)
        if outcome:
            decide(cast, member(cast, cast.owner), outcome)
        item.assignments.update(state="void")
    assert own_figures(project=cast.project, user=cast.reviewer).reversed == Share(1, 2)
    assert own_figures(project=cast.project, user=second.user).reversed == Share(2, 3)
    assert own_figures(project=cast.project, user=third.user).reversed == Share(1, 1)
    client.force_login(cast.reviewer)
    assert "1 of 2 that were contested" in client.get(reverse("review:mine", args=[cast.project.slug])).text


def test_a_project_without_appeals_has_no_rows(cast: Cast) -> None:
    assert read_appeals(cast.project, timezone.now()).rows == []
