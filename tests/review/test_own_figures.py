"""What a reviewer sees of their own work."""

from __future__ import annotations

import datetime as dt

from django.test import Client
from django.urls import reverse
from django.utils import timezone

from review.dashboard.intervals import Share
from review.models import Annotation, Decision
from review.own import own_figures
from review.services import skip, undo_decision
from tests.factories import Cast
from tests.review.working import another, answer, claim_one, effects_now, member, new_item, queue_of


def test_answers_time_and_skips_of_one_person_are_counted(cast: Cast) -> None:
    who, other = member(cast, cast.reviewer), another(cast, "other")
    for days, milliseconds in ((0, 2000), (0, None), (6, 3000), (8, 9000)):
        new_item(cast)
        made = answer(claim_one(cast, who), who, active_ms=milliseconds).annotation
        Annotation.objects.filter(pk=made.pk).update(created_at=timezone.now() - dt.timedelta(days=days))
    new_item(cast)
    slot = claim_one(cast, who)
    assert slot.lease_token is not None
    skip(slot=slot, membership=who, lease_token=slot.lease_token, reason="unclear")
    answer(claim_one(cast, other), other, active_ms=50)
    found = own_figures(project=cast.project, user=cast.reviewer)
    assert (found.today, found.week, found.active_today, found.active_week) == (2, 3, 2000, 5000)
    assert (found.skips_today, found.skips_week, found.agreement) == (1, 1, Share(0, 0))


def test_an_answer_that_was_taken_back_is_counted_once(cast: Cast) -> None:
    who = member(cast, cast.reviewer)
    new_item(cast)
    decision = answer(claim_one(cast, who), who, active_ms=1000).decision
    assert decision is not None
    undo_decision(decision=decision, membership=who)
    answer(claim_one(cast, who), who, active_ms=2000)
    found = own_figures(project=cast.project, user=cast.reviewer)
    assert (found.today, found.active_today) == (1, 2000)


def test_agreement_is_with_what_was_decided_together(cast: Cast) -> None:
    who = member(cast, cast.reviewer)
    new_item(cast)
    answer(claim_one(cast, who), who, "block")  # decided alone: it says nothing
    queue_of(cast, required_reviews=2)
    others = [another(cast, "a"), another(cast, "b")]
    for own in ("block", "release", ""):
        new_item(cast)
        answer(claim_one(cast, who), who, own)
        for other in others[: 1 if own == "block" else 2]:
            answer(claim_one(cast, other), other, "block")
    assert own_figures(project=cast.project, user=cast.reviewer).agreement == Share(0, 0)
    for decision in Decision.objects.all():
        effects_now(decision)
    assert own_figures(project=cast.project, user=cast.reviewer).agreement == Share(1, 3)


def test_only_the_reviewer_and_leads_see_it(cast: Cast, client: Client) -> None:
    other = another(cast, "zdenka")
    page = reverse("review:reviewer", args=[cast.project.slug, other.user.id])
    for user, status in ((cast.lead, 200), (cast.owner, 200), (cast.reviewer, 403), (cast.compliance, 403)):
        client.force_login(user)
        assert client.get(page).status_code == status
    client.force_login(cast.reviewer)
    mine = client.get(reverse("review:mine", args=[cast.project.slug])).text
    assert "zdenka" not in mine
    assert "Answers today" in mine


def test_people_of_other_projects_have_no_page_here(cast: Cast, client: Client) -> None:
    client.force_login(cast.lead)
    for user in (cast.outsider, cast.compliance):
        assert client.get(reverse("review:reviewer", args=[cast.project.slug, user.id])).status_code == 404
