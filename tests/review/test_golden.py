"""Golden items: made of decided ones, mixed in unseen, scored, and without any effect on their checks."""

from __future__ import annotations

import datetime as dt
import secrets
import uuid
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from review.dashboard.figures import read_dashboard
from review.errors import InvalidAnswer
from review.lookups import review_states
from review.models import (
    Decision,
    GoldenItem,
    GoldenResult,
    ItemTrigger,
    ReviewerPause,
    ReviewItem,
    SpanAnnotation,
)
from review.services import (
    claim_items,
    escalate,
    lift_pause,
    reopen,
    retire_golden,
    sweep_effects,
    sweep_probes,
    undo_decision,
)
from review.signals import decision_recorded
from tests.factories import Cast
from tests.review.golden import decided, finish, golden_of, probe_of
from tests.review.working import another, answer, claim_one, events, member, new_item, queue_of
from webapp.accounts.models import Membership


def test_only_what_is_decided_for_good_becomes_golden(cast: Cast, golden: GoldenItem) -> None:
    with pytest.raises(InvalidAnswer):
        golden_of(cast, new_item(cast))
    with pytest.raises(InvalidAnswer, match="golden already"):
        golden_of(cast, golden.source)
    assert [e["object"]["id"] for e in events("review.golden.made")] == [str(golden.id)]


def test_a_probe_comes_beside_an_item_and_looks_like_its_source(cast: Cast, golden: GoldenItem) -> None:
    probe = probe_of(cast, golden)
    source = golden.source
    assert (probe.checked, probe.severity, probe.priority) == (source.checked, source.severity, source.priority)
    assert list(probe.triggers.values_list("kind", flat=True)) == list(source.triggers.values_list("kind", flat=True))
    assert probe.assignments.count() == 1
    queue_of(cast, golden_rate=1.0)
    new_item(cast)
    assert ReviewItem.objects.filter(golden=golden).count() == 1, "one at a time"


def test_all_times_of_a_probe_lie_the_same_while_before_the_item_beside_it(
    cast: Cast, golden: GoldenItem, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(secrets, "randbelow", lambda longest: longest - 1)
    probe = probe_of(cast, golden)
    beside = ReviewItem.objects.latest("created_at")
    slot, trigger = probe.assignments.get(), probe.triggers.get()
    told = [probe.created_at, trigger.created_at, made_at(probe.id), made_at(slot.id)]
    assert all(350 < (beside.created_at - at).total_seconds() < 361 for at in told), "a tenth of the hour of the SLA"
    assert probe.created_at != trigger.created_at, "as those of an ordinary item differ"
    assert 3599 < (probe.sla_due_at - probe.created_at).total_seconds() < 3600
    assert slot.sla_due_at == probe.sla_due_at


def made_at(key: uuid.UUID) -> dt.datetime:
    return dt.datetime.fromtimestamp((key.int >> 80) / 1000, tz=dt.UTC)


def test_without_a_reviewer_who_has_not_seen_it_there_is_no_probe(cast: Cast, reviewer: Membership) -> None:
    item = new_item(cast)
    finish(answer(claim_one(cast, reviewer), reviewer, "block"))
    golden_of(cast, item)
    queue_of(cast, golden_rate=1.0)
    new_item(cast)
    assert not ReviewItem.objects.filter(golden__isnull=False).exists()


def test_leads_get_no_probe(cast: Cast, probe: ReviewItem) -> None:
    assert claim_items(queue=probe.queue, membership=member(cast, cast.lead)) == []
    assert claim_items(queue=probe.queue, membership=member(cast, cast.owner)) == []


def test_nothing_follows_for_the_check(cast: Cast, probe: ReviewItem, reviewer: Membership) -> None:
    check, heard = probe.checked, []
    before = (list(check.releases.values_list("id", "outcome")), review_states([check.id], probe.sla_due_at))

    def hear(**news: Any) -> None:
        heard.append(news)

    decision_recorded.connect(hear)
    try:
        finish(answer(claim_one(cast, reviewer), reviewer, "release"))
    finally:
        decision_recorded.disconnect(hear)
    assert heard == []
    assert (list(check.releases.values_list("id", "outcome")), review_states([check.id], probe.sla_due_at)) == before
    assert len(events("review.golden.answered")) == 1
    assert len(events("review.decision.recorded")) == 1, "of the source alone"


def test_late_findings_go_to_a_real_item(cast: Cast, probe: ReviewItem) -> None:
    from review.services import raise_item

    late = raise_item(check=probe.checked, kind="late")
    assert late.golden is None
    assert not ItemTrigger.objects.filter(item=probe, kind="late").exists()


def test_it_is_scored_when_it_can_not_be_taken_back(cast: Cast, probe: ReviewItem, reviewer: Membership) -> None:
    done = answer(claim_one(cast, reviewer), reviewer, "block")
    sweep_effects()
    assert not GoldenResult.objects.exists()
    finish(done)
    result = GoldenResult.objects.get()
    assert (result.reviewer, result.verdict, result.score) == (cast.reviewer, True, 1.0)


def test_it_can_be_taken_back_like_any_other(cast: Cast, probe: ReviewItem, reviewer: Membership) -> None:
    done = answer(claim_one(cast, reviewer), reviewer, "release")
    assert done.decision is not None
    slot = undo_decision(decision=done.decision, membership=reviewer).slot
    assert slot is not None
    slot.refresh_from_db()
    finish(answer(slot, reviewer, "block"))
    assert GoldenResult.objects.get().score == 1.0


def test_categories_and_places_are_scored(cast: Cast, reviewer: Membership) -> None:
    item = decided(cast)
    email = item.checked.findings.get(category="EMAIL_ADDRESS")
    place = (email.start or 0, email.end or 0, "EMAIL_ADDRESS")
    probe = probe_of(
        cast, golden_of(cast, item, outcome="redact", labels={"hate": True, "violence": False}, spans=[place])
    )
    done = answer(claim_one(cast, reviewer), reviewer, "redact", findings={email.id: True})
    SpanAnnotation.objects.create(annotation=done.annotation, change="added", label="PERSON", start=0, end=3)
    finish(done)
    result = GoldenResult.objects.get(golden=probe.golden)
    assert (result.verdict, result.categories) == (True, 0.5)
    assert result.spans == pytest.approx(2 / 3)
    assert result.score == pytest.approx((1 + 0.5 + 2 / 3) / 3)


def test_every_reviewer_of_a_disputed_probe_is_scored_and_the_sweep_settles_it(cast: Cast, golden: GoldenItem) -> None:
    queue_of(cast, required_reviews=2, max_reviews=2)
    second = another(cast, "second")
    probe = probe_of(cast, golden)
    reviewer = member(cast, cast.reviewer)
    answer(claim_one(cast, reviewer), reviewer, "block")
    answer(claim_one(cast, second), second, "release")
    probe.refresh_from_db()
    assert probe.state == "adjudication"
    assert claim_items(queue=probe.queue, membership=member(cast, cast.lead)) == []
    assert sweep_probes() == 0, "leads take their time"
    ReviewItem.objects.filter(id=probe.id).update(sla_due_at=probe.created_at)
    assert sweep_probes() == 1
    assert Decision.objects.get(item=probe).outcome == "block"
    assert dict(GoldenResult.objects.values_list("reviewer", "score")) == {cast.reviewer.id: 1.0, second.user_id: 0.0}


def test_an_escalated_probe_waits_for_no_lead(cast: Cast, probe: ReviewItem, reviewer: Membership) -> None:
    slot = claim_one(cast, reviewer)
    assert slot.lease_token is not None
    escalate(slot=slot, membership=reviewer, lease_token=slot.lease_token, note="Hm.")
    assert not probe.assignments.filter(role="adjudicator").exists()


def fail(cast: Cast, times: int) -> None:
    reviewer = member(cast, cast.reviewer)
    for number in range(times):
        golden = golden_of(cast, decided(cast, output=f"Output number {number}."))
        probe_of(cast, golden)
        finish(answer(claim_one(cast, reviewer), reviewer, "release"))
        golden.probes.update(state="cancelled")
        GoldenItem.objects.filter(id=golden.id).update(retired_at=golden.created_at)


def test_below_the_mark_a_reviewer_is_paused_until_a_lead_lifts_it(cast: Cast, client: Client) -> None:
    queue_of(cast, golden_window=2, golden_pass_mark=0.6)
    reviewer, lead = member(cast, cast.reviewer), member(cast, cast.lead)
    fail(cast, 1)
    assert not ReviewerPause.objects.exists(), "too few to judge"
    fail(cast, 1)
    pause = ReviewerPause.objects.get()
    assert (pause.reviewer, pause.score, pause.results) == (cast.reviewer, 0.0, 2)
    new_item(cast)
    queue = queue_of(cast)
    assert claim_items(queue=queue, membership=reviewer) == []
    assert len(claim_items(queue=queue, membership=another(cast, "colleague"))) == 1
    [event] = events("review.reviewer.paused")
    assert event["object"]["id"] == str(cast.reviewer.id)
    queues = reverse("review:queues", args=[cast.project.slug])
    client.force_login(cast.reviewer)
    assert "You are paused in" in client.get(queues).text
    client.force_login(cast.lead)
    assert "Let them go on" in client.get(queues).text
    assert client.post(reverse("review:pause-lift", args=[cast.project.slug, pause.id])).status_code == 302
    new_item(cast)
    assert len(claim_items(queue=queue, membership=reviewer)) == 1
    lift_pause(pause=pause, membership=lead)
    assert len(events("review.reviewer.resumed")) == 1


def test_what_was_before_a_lift_counts_no_more(cast: Cast) -> None:
    queue_of(cast, golden_window=1)
    fail(cast, 1)
    lift_pause(pause=ReviewerPause.objects.get(), membership=member(cast, cast.lead))
    queue_of(cast, golden_window=2)
    fail(cast, 1)
    assert ReviewerPause.objects.filter(lifted_at=None).count() == 0


def test_a_retired_item_is_taken_from_whoever_has_it(cast: Cast, probe: ReviewItem, reviewer: Membership) -> None:
    slot = claim_one(cast, reviewer)
    assert probe.golden is not None
    retire_golden(golden=probe.golden, membership=member(cast, cast.lead))
    done = answer(slot, reviewer, "block")
    assert done.message
    assert not done.annotation.counts
    probe.refresh_from_db()
    assert probe.state == "cancelled"
    assert not GoldenResult.objects.exists()


def test_figures_leave_probes_out(cast: Cast, probe: ReviewItem, reviewer: Membership) -> None:
    board = read_dashboard(project=cast.project)
    finish(answer(claim_one(cast, reviewer), reviewer, "block", active_ms=1000))
    after = read_dashboard(project=cast.project)
    assert (board.total.waiting, after.total.waiting) == (1, 1), "the one beside it"
    assert board.total.hours == after.total.hours
    assert after.total.active is None
    assert board.rules == after.rules


def test_a_lead_does_not_reopen_a_probe(cast: Cast, probe: ReviewItem, reviewer: Membership) -> None:
    finish(answer(claim_one(cast, reviewer), reviewer, "block"))
    with pytest.raises(InvalidAnswer, match="golden"):
        reopen(item=probe, membership=member(cast, cast.lead), reason="Look.")
