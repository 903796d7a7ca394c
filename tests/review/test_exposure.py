"""What reviewers are exposed to is counted for them, and rests come in time without costing a claim."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from review.exposure import exposure_of_all, own_exposure
from review.models import Assignment, Break, ExposureEntry, ReviewItem, WellnessSettings
from review.rest import due_rest, meter_of
from review.services import claim_items, show
from tests.factories import Cast
from tests.review.working import another, answer, claim_one, member, new_item, queue_of
from webapp.accounts.models import Membership


def expose(who: Membership, *, minutes: float = 1, ago: float = 0, severity: int = 3) -> ExposureEntry:
    """Let a member have been before an item for `minutes`, until `ago` minutes before now."""
    seconds = 60 * minutes
    item = ReviewItem.objects.filter(project=who.project).latest("created_at")
    weight = {1: 0.25, 2: 0.5, 3: 1, 4: 2}[severity]
    entry = ExposureEntry.objects.create(
        project=who.project,
        reviewer=who.user,
        item=item,
        severity=severity,
        active_seconds=seconds,
        seen_seconds=seconds,
        weighted_seconds=seconds * weight,
    )
    at = timezone.now() - dt.timedelta(minutes=ago)
    ExposureEntry.objects.filter(pk=entry.pk).update(created_at=at, counted_at=at)
    return entry


def on_screen(cast: Cast, who: Membership, *, seconds: float = 600, k: int = 1) -> Assignment:
    """Claim, and let the first slot have been on screen for a while."""
    slot = claim_items(queue=queue_of(cast), membership=who, k=k)[0]
    assert slot.lease_token is not None
    show(slot=slot, user=who.user, lease_token=slot.lease_token)
    Assignment.objects.filter(pk=slot.pk).update(shown_at=timezone.now() - dt.timedelta(seconds=seconds))
    return slot


@pytest.fixture
def who(cast: Cast) -> Membership:
    return member(cast, cast.reviewer)


@pytest.mark.parametrize(
    ("severity", "said", "entry"),
    [
        (4, {"active_ms": 60_000, "seen_ms": 30_000}, (60, 30, 60)),
        (1, {"active_ms": 60_000, "seen_ms": 60_000}, (60, 60, 15)),
        (3, {"active_ms": 10_000, "seen_ms": 90_000}, (10, 10, 10)),
        (3, {"active_ms": 9_999_000, "seen_ms": 9_999_000}, (600, 600, 600)),
        (3, {}, (300, 300, 300)),
    ],
)
def test_an_answer_counts_time_seen_by_severity_and_no_more_than_there_was(
    cast: Cast, who: Membership, severity: int, said: dict[str, Any], entry: tuple[int, int, int]
) -> None:
    item = new_item(cast)
    ReviewItem.objects.filter(pk=item.pk).update(severity=severity)
    answer(on_screen(cast, who), who, **said)
    stored = ExposureEntry.objects.get()
    assert (stored.reviewer, stored.item, stored.severity) == (cast.reviewer, item, severity)
    found = (stored.active_seconds, stored.seen_seconds, stored.weighted_seconds)
    assert found == pytest.approx(entry, abs=3)


def test_what_is_skipped_was_seen_too(cast: Cast, who: Membership, client: Client) -> None:
    new_item(cast)
    slot = on_screen(cast, who)
    client.force_login(cast.reviewer)
    form = {"token": str(slot.lease_token), "reason": "unclear", "active_ms": "5000", "seen_ms": "4000"}
    client.post(reverse("review:skip", args=[cast.project.slug, slot.id]), form)
    stored = ExposureEntry.objects.get()
    assert (stored.active_seconds, stored.seen_seconds) == (5, 4)


def test_what_is_shown_and_left_counts_without_an_answer(cast: Cast, who: Membership, client: Client) -> None:
    item = new_item(cast)
    ReviewItem.objects.filter(pk=item.pk).update(severity=4)
    slot = claim_one(cast, who)
    client.force_login(cast.reviewer)
    url = reverse("review:item", args=[cast.project.slug, item.public_id])
    client.get(url)
    assert not ExposureEntry.objects.exists(), "it is covered"
    beat = reverse("review:heartbeat", args=[cast.project.slug, slot.id])
    client.post(beat, {"token": str(slot.lease_token), "revealed": "1"})
    client.get(url + "?show=text")
    assert ExposureEntry.objects.get().weighted_seconds == 10, "a glance, once"
    Assignment.objects.update(shown_at=timezone.now() - dt.timedelta(minutes=2))
    seen = {"token": str(slot.lease_token), "active_ms": "60000", "seen_ms": "30000"}
    client.post(beat, seen)
    before = Assignment.objects.get().lease_expires_at
    client.post(beat, seen | {"seen_ms": "40000", "leaving": "1"})
    client.post(beat, seen | {"token": str(item.id), "seen_ms": "50000", "leaving": "1"})
    assert Assignment.objects.get().lease_expires_at == before, "who leaves keeps nothing"
    stored = ExposureEntry.objects.get()
    assert (stored.active_seconds, stored.seen_seconds, stored.weighted_seconds) == (60, 40, 80)
    answer(slot, who, active_ms=60_000, seen_ms=45_000)
    assert ExposureEntry.objects.get().weighted_seconds == 90


def test_a_text_that_opens_uncovered_counts_when_it_is_shown(cast: Cast, who: Membership, client: Client) -> None:
    item = new_item(cast)
    ReviewItem.objects.filter(pk=item.pk).update(severity=2)
    slot = claim_one(cast, who)
    client.force_login(cast.reviewer)
    shown = {"shown": str(slot.id), "token": str(slot.lease_token)}
    for _ in range(2):
        client.post(reverse("review:ahead", args=[cast.project.slug, "default"]), shown)
    assert ExposureEntry.objects.get().weighted_seconds == 2.5


def test_the_strictest_cap_of_ones_projects_holds_in_all_and_names_none(
    cast: Cast, who: Membership, client: Client
) -> None:
    new_item(cast)
    WellnessSettings.objects.create(project=cast.project, cap_minutes=0)
    expose(who, minutes=31)
    assert due_rest(membership=who, now=timezone.now()) is None
    Membership.objects.create(project=cast.other_project, user=cast.reviewer, role="reviewer")
    assert meter_of(membership=who, now=timezone.now()).cap == 240, "the other has the usual one"
    strict = WellnessSettings.objects.create(project=cast.other_project, cap_minutes=30)
    rest = due_rest(membership=who, now=timezone.now())
    assert rest is not None
    assert rest.is_cap
    client.force_login(cast.reviewer)
    page = client.get(reverse("review:rest", args=[cast.project.slug])).text
    assert "Enough for today" in page
    assert cast.other_project.slug not in page[page.index("Enough for today") :]
    Membership.objects.filter(project=strict.project).update(role="compliance")
    assert due_rest(membership=who, now=timezone.now()) is None, "they do not work there"


def test_a_break_is_due_after_minutes_at_work_and_loses_nothing(cast: Cast, who: Membership, client: Client) -> None:
    for _ in range(4):
        new_item(cast)
    WellnessSettings.objects.create(project=cast.project, break_after_minutes=10, break_minutes=7)
    expose(who, minutes=9, ago=2)
    first = on_screen(cast, who, seconds=120, k=2)
    answer(first, who, active_ms=70_000)
    rest = due_rest(membership=who, now=timezone.now())
    assert rest is not None
    assert not rest.is_cap
    assert 6 * 60 < rest.seconds <= 7 * 60
    behind = Assignment.objects.get(lease_owner=cast.reviewer, state="leased")
    assert behind.lease_token is not None
    client.force_login(cast.reviewer)
    shown = {"shown": str(behind.id), "token": str(behind.lease_token)}
    ahead = client.post(reverse("review:ahead", args=[cast.project.slug, "default"]), shown).json()
    rest_url = reverse("review:rest", args=[cast.project.slug])
    assert (ahead["html"], ahead["rest_url"]) == (None, rest_url)
    assert "break after this" not in ahead["meter"]
    page = client.get(rest_url).text
    assert "Time for a break" in page
    assert behind.item.public_id in page, "what is on screen can be finished"
    assert answer(behind, who).message == ""
    started = client.post(reverse("review:work", args=[cast.project.slug, "default"]), follow=True)
    assert started.redirect_chain[-1][0] == rest_url
    Break.objects.update(ends_at=timezone.now())
    claim_one(cast, who)
    assert "You can go on" in client.get(rest_url).text


def test_what_waits_unseen_goes_to_others_during_a_break(cast: Cast, who: Membership) -> None:
    for _ in range(2):
        new_item(cast)
    shown = on_screen(cast, who, k=2)
    Break.objects.create(
        reviewer=cast.reviewer, started_at=timezone.now(), ends_at=timezone.now() + dt.timedelta(hours=1)
    )
    assert claim_items(queue=queue_of(cast), membership=who) == [shown]
    other = another(cast, "other")
    assert len(claim_items(queue=queue_of(cast), membership=other)) == 1


def test_time_away_is_a_break(cast: Cast, who: Membership) -> None:
    new_item(cast)
    expose(who, minutes=54, ago=6)
    assert meter_of(membership=who, now=timezone.now()).to_break == 1
    answer(on_screen(cast, who), who, active_ms=50_000)
    assert due_rest(membership=who, now=timezone.now()) is None
    assert meter_of(membership=who, now=timezone.now()).to_break == 54


def test_the_day_s_cap_counts_weighted_minutes_of_all_projects(cast: Cast, who: Membership, client: Client) -> None:
    new_item(cast)
    WellnessSettings.objects.create(project=cast.project, cap_minutes=60)
    elsewhere = Membership.objects.create(project=cast.other_project, user=cast.reviewer, role="reviewer")
    expose(who, minutes=20, severity=4)
    assert due_rest(membership=who, now=timezone.now()) is None
    ExposureEntry.objects.filter(pk=expose(who, minutes=20).pk).update(project=elsewhere.project)
    rest = due_rest(membership=who, now=timezone.now())
    assert rest is not None
    assert rest.is_cap
    assert claim_items(queue=queue_of(cast), membership=who) == []
    client.force_login(cast.reviewer)
    assert "Enough for today" in client.get(reverse("review:rest", args=[cast.project.slug])).text
    tomorrow = timezone.now() + dt.timedelta(days=1)
    assert due_rest(membership=who, now=tomorrow) is None


def test_zero_is_no_cap_and_no_break(cast: Cast, who: Membership) -> None:
    new_item(cast)
    WellnessSettings.objects.create(project=cast.project, cap_minutes=0, break_after_minutes=0)
    expose(who, minutes=900, severity=4, ago=1)
    answer(on_screen(cast, who), who, active_ms=1000)
    assert due_rest(membership=who, now=timezone.now()) is None
    assert not Break.objects.exists()


def test_leads_see_sums_from_three_people_on_and_nobody_single(cast: Cast, who: Membership, client: Client) -> None:
    new_item(cast)
    people = [who, another(cast, "second"), another(cast, "third")]
    for person in people[:2]:
        expose(person, minutes=20)
    assert [(day.people, day.weighted) for day in exposure_of_all(project=cast.project)] == [(2, None)]
    client.force_login(cast.lead)
    assert "fewer than three people" in client.get(reverse("review:wellness", args=[cast.project.slug])).text
    expose(people[2], minutes=2, severity=1)
    [day] = exposure_of_all(project=cast.project)
    assert (day.people, day.at_work, day.severe, day.weighted) == (3, 42, 40, 40)
    other = client.get(reverse("review:reviewer", args=[cast.project.slug, cast.reviewer.id])).text
    assert "Exposure" not in other
    client.force_login(cast.reviewer)
    assert "Exposure" in client.get(reverse("review:mine", args=[cast.project.slug])).text
    assert [day.weighted for day in own_exposure(user=cast.reviewer)] == [20]
