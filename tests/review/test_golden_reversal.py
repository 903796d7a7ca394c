"""What is decided otherwise later is golden no more, and what was scored by it counts for nobody."""

from __future__ import annotations

import pytest
from django.test import Client
from django.urls import reverse

from review.golden import golden_of as figures_of
from review.models import GoldenItem, GoldenResult, ReviewerPause, ReviewItem
from review.services import Judgement, claim_qa, reopen, submit_qa, sweep_effects
from tests.factories import Cast
from tests.review.golden import decided, finish, golden_of, probe_of
from tests.review.working import another, answer, claim_one, effects_now, events, member, new_item, queue_of
from webapp.accounts.models import Membership


@pytest.fixture
def reviewer(cast: Cast) -> Membership:
    return member(cast, cast.reviewer)


def overturn(cast: Cast, item: ReviewItem, outcome: str) -> None:
    """Let the owner look at a decision again, and let what they say hold."""
    owner = member(cast, cast.owner)
    slot = claim_qa(membership=owner)
    assert slot is not None
    assert slot.lease_token is not None
    said = Judgement(outcome=outcome, severity="major", note="Wrong.")
    submit_qa(slot=slot, membership=owner, lease_token=slot.lease_token, judgement=said)
    effects_now(item.decisions.latest("cycle"))
    sweep_effects()


def test_an_overturn_retires_it_and_lets_go_on_who_was_paused_for_it(
    cast: Cast, client: Client, reviewer: Membership
) -> None:
    queue_of(cast, golden_window=1, golden_pass_mark=0.6, qa_rate=1.0)
    golden = golden_of(cast, decided(cast))
    probe_of(cast, golden)
    finish(answer(claim_one(cast, reviewer), reviewer, "release"))
    assert ReviewerPause.objects.get().lifted_at is None
    overturn(cast, golden.source, "release")
    golden.refresh_from_db()
    assert golden.retired_because == "reversed"
    [event] = events("review.golden.retired")
    assert event["reason_codes"] == ["cause:reversed"]
    assert ReviewerPause.objects.get().lifted_at is not None
    assert events("review.reviewer.resumed")[0]["reason_codes"] == ["cause:golden_reversed"]
    assert GoldenResult.objects.count() == 1, "what was scored is kept"
    assert figures_of(project=cast.project, user=cast.reviewer) == []
    client.force_login(cast.lead)
    page = client.get(reverse("review:golden", args=[cast.project.slug])).text
    assert "Retired because the decision was reversed" in page
    assert "1 answer that counts no more" in page


def test_others_results_keep_a_reviewer_paused(cast: Cast, reviewer: Membership) -> None:
    queue_of(cast, golden_window=1, golden_pass_mark=0.6)
    for number in range(2):
        golden = golden_of(cast, decided(cast, output=f"Output number {number}."))
        probe_of(cast, golden)
        finish(answer(claim_one(cast, reviewer), reviewer, "release"))
        ReviewerPause.objects.all().delete()
    queue_of(cast, golden_window=1)
    ReviewerPause.objects.create(queue=queue_of(cast), reviewer=cast.reviewer, score=0.0, results=1)
    reopen(item=golden.source, membership=member(cast, cast.owner), reason="Look.")
    colleague = another(cast, "colleague")
    finish(answer(claim_one(cast, colleague), colleague, "release"))
    assert list(GoldenItem.objects.filter(retired_because="reversed")) == [golden]
    assert ReviewerPause.objects.get().lifted_at is None


def test_what_is_confirmed_or_decided_before_stays(cast: Cast) -> None:
    golden = golden_of(cast, decided(cast), outcome="redact")
    reopen(item=golden.source, membership=member(cast, cast.owner), reason="Look.")
    colleague = another(cast, "colleague")
    done = answer(claim_one(cast, colleague), colleague, "redact")
    finish(done)
    golden.refresh_from_db()
    assert golden.retired_at is None


def test_a_probe_that_is_out_is_taken_back_and_never_scored(cast: Cast, reviewer: Membership) -> None:
    queue_of(cast, qa_rate=1.0)
    golden = golden_of(cast, decided(cast))
    answered = probe_of(cast, golden)
    done = answer(claim_one(cast, reviewer), reviewer, "release")
    overturn(cast, golden.source, "release")
    finish(done)
    assert not GoldenResult.objects.exists()
    assert ReviewItem.objects.get(id=answered.id).state == "decided"
    queue_of(cast, golden_rate=1.0)
    new_item(cast)
    assert not ReviewItem.objects.filter(golden=golden).exclude(id=answered.id).exists()
