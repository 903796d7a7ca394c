"""Blind first: what the machine found comes after the answer."""

from __future__ import annotations

import uuid

import pytest
from django.test import Client
from django.urls import reverse

from review.errors import InvalidAnswer
from review.models import Annotation, ReviewItem
from review.services import claim_items, hold, reopen, undo_decision
from tests.factories import Cast
from tests.review.working import another, answer, claim_one, effects_now, member, new_item, queue_of

#: What only the machine says: none of it stands in the texts of the item.
TOLD = ("0.85", "EMAIL_ADDRESS", "machine:", "held", "data-findings", "<mark", "hl-", "meter", "pii", "moderation")


def item_url(cast: Cast, item: ReviewItem) -> str:
    return reverse("review:item", args=[cast.project.slug, item.public_id])


def stage_of(page: str) -> str:
    """Return the item, without what is the same for every item: all types of marks, all rules of the policy."""
    stage = page[page.index('<article class="stage"') : page.index("</article>")]
    same = (
        ('<div class="choices types"', "</div>"),
        ('<ol class="rule-list"', "</ol>"),
        ('name="quote-type"', "</select>"),
    )
    for opening, end in same:
        while opening in stage:
            before, _, rest = stage.partition(opening)
            stage = before + rest.partition(end)[2]
    return stage


@pytest.fixture
def item(cast: Cast) -> ReviewItem:
    queue_of(cast, blind_rate=1.0)
    return new_item(cast)


def test_a_blind_page_has_nothing_of_the_machine(cast: Cast, client: Client, item: ReviewItem) -> None:
    claim_one(cast, member(cast, cast.reviewer))
    client.force_login(cast.reviewer)
    page = client.get(item_url(cast, item)).text
    assert "Submit and next" in page
    assert [word for word in TOLD if word in stage_of(page)] == []
    assert "medium" not in page.lower(), "severity follows from what was found"
    assert stage_of(page).count("harassment") == new_choices(page), "as a choice alone"


def new_choices(page: str) -> int:
    row = page[page.index('name="label-harassment"') - 600 : page.index('name="label-harassment"') + 900]
    return row.count("harassment")


def test_what_is_fetched_ahead_is_blind_too(cast: Cast, client: Client, item: ReviewItem) -> None:
    client.force_login(cast.reviewer)
    html = client.post(reverse("review:ahead", args=[cast.project.slug, "default"])).json()["html"]
    assert html
    assert [word for word in TOLD if word in stage_of(html)] == []


def test_whoever_may_still_answer_reads_it_blind_as_well(cast: Cast, client: Client, item: ReviewItem) -> None:
    for user, hidden in ((cast.reviewer, True), (cast.lead, True), (cast.compliance, False)):
        client.force_login(user)
        assert ("EMAIL_ADDRESS" not in client.get(item_url(cast, item)).text) is hidden


def test_the_redaction_of_a_blind_item_is_not_told(cast: Cast, client: Client, item: ReviewItem) -> None:
    claim_one(cast, member(cast, cast.reviewer))
    client.force_login(cast.reviewer)
    assert client.get(reverse("review:redacted", args=[cast.project.slug, item.public_id])).status_code == 404


def test_a_blind_answer_says_so_and_nothing_of_findings(cast: Cast, item: ReviewItem) -> None:
    reviewer = member(cast, cast.reviewer)
    slot = claim_one(cast, reviewer)
    finding = item.checked.findings.get(category="EMAIL_ADDRESS")
    with pytest.raises(InvalidAnswer):
        answer(slot, reviewer, findings={finding.id: True})
    done = answer(slot, reviewer, "redact", labels={"harassment": True})
    assert done.annotation.assistance == "blind"
    assert not done.annotation.finding_verdicts.exists()
    assert not done.annotation.spans.exists()
    assert item.checked.releases.get().output == "You can reach Ann at [EMAIL_ADDRESS], idiot."


def test_after_the_commit_they_see_it_and_may_revise(cast: Cast, client: Client, item: ReviewItem) -> None:
    reviewer = member(cast, cast.reviewer)
    first = answer(claim_one(cast, reviewer), reviewer, "release")
    assert first.decision is not None
    slot = undo_decision(decision=first.decision, membership=reviewer).slot
    client.force_login(cast.reviewer)
    page = client.get(item_url(cast, item)).text
    assert "You answered this blind" in page
    assert "EMAIL_ADDRESS" in page
    assert slot is not None
    slot.refresh_from_db()
    second = answer(slot, reviewer, "block", key=uuid.uuid4())
    first.annotation.refresh_from_db()
    assert (first.annotation.assistance, first.annotation.counts) == ("blind", False)
    assert (second.annotation.assistance, second.annotation.supersedes_id) == ("after_commit", first.annotation.id)


def test_others_stay_blind_while_a_decision_can_be_taken_back(cast: Cast, client: Client, item: ReviewItem) -> None:
    reviewer = member(cast, cast.reviewer)
    done = answer(claim_one(cast, reviewer), reviewer)
    assert done.decision is not None
    colleague = another(cast, "colleague")
    client.force_login(colleague.user)
    assert "EMAIL_ADDRESS" not in client.get(item_url(cast, item)).text
    effects_now(done.decision)
    assert "EMAIL_ADDRESS" in client.get(item_url(cast, item)).text


def test_an_adjudicator_of_a_blind_item_sees_people_but_not_the_machine(
    cast: Cast, client: Client, item: ReviewItem
) -> None:
    queue = queue_of(cast, max_reviews=1)
    who = another(cast, "viktor")
    answer(claim_one(cast, who), who, "", note="I can not tell.")
    lead = member(cast, cast.lead)
    [slot] = claim_items(queue=queue, membership=lead, k=1)
    client.force_login(cast.lead)
    page = stage_of(client.get(item_url(cast, item)).text)
    assert "I can not tell." in page
    assert "EMAIL_ADDRESS" not in page
    assert answer(slot, lead).annotation.assistance == "blind"


def test_a_reopened_item_is_not_blind_any_more(cast: Cast, item: ReviewItem) -> None:
    reviewer, lead = member(cast, cast.reviewer), member(cast, cast.lead)
    done = answer(claim_one(cast, reviewer), reviewer)
    assert done.decision is not None
    effects_now(done.decision)
    reopen(item=item, membership=lead, reason="Look again.")
    colleague = another(cast, "colleague")
    assert answer(claim_one(cast, colleague), colleague).annotation.assistance == "shown"


def test_without_a_draw_the_machine_is_shown(cast: Cast, client: Client) -> None:
    queue_of(cast, blind_rate=0.0)
    item = new_item(cast)
    reviewer = member(cast, cast.reviewer)
    slot = claim_one(cast, reviewer)
    client.force_login(cast.reviewer)
    assert "EMAIL_ADDRESS" in client.get(item_url(cast, item)).text
    answer(slot, reviewer)
    assert Annotation.objects.get().assistance == "shown"


@pytest.mark.parametrize("asked", ["verdict=hold", "severity=medium", "rule=moderation", "category=EMAIL_ADDRESS"])
def test_a_reviewer_finds_no_blind_item_by_what_the_machine_found(
    cast: Cast, client: Client, item: ReviewItem, asked: str
) -> None:
    items = reverse("review:browse", args=[cast.project.slug])
    client.force_login(cast.reviewer)
    assert item.public_id in client.get(items).text
    assert item.public_id not in client.get(f"{items}?{asked}").text
    client.force_login(cast.lead)
    assert item.public_id in client.get(f"{items}?{asked}").text, "who runs the queue does"
    ReviewItem.objects.update(blind=False)
    client.force_login(cast.reviewer)
    assert item.public_id in client.get(f"{items}?{asked}").text


def severities(client: Client, cast: Cast) -> tuple[int, int, int]:
    """Return how many items wait, how many of them are counted as medium, and how many as blind."""
    [row] = client.get(reverse("review:queues", args=[cast.project.slug])).context["queues"]
    return row.waiting, row.medium, row.blind


def test_the_list_of_queues_tells_reviewers_no_severity_of_what_is_blind(
    cast: Cast, client: Client, item: ReviewItem
) -> None:
    queue_of(cast, blind_rate=0.0)
    new_item(cast)
    client.force_login(cast.reviewer)
    assert severities(client, cast) == (2, 1, 1)
    for user in (cast.lead, cast.owner, cast.compliance):
        client.force_login(user)
        assert severities(client, cast) == (2, 2, 0)


def test_a_held_item_that_is_blind_tells_no_severity(cast: Cast, client: Client, item: ReviewItem) -> None:
    reviewer = member(cast, cast.reviewer)
    slot = claim_one(cast, reviewer)
    assert slot.lease_token is not None
    hold(slot=slot, membership=reviewer, lease_token=slot.lease_token)
    client.force_login(cast.reviewer)
    page = client.get(reverse("review:queues", args=[cast.project.slug])).text
    assert "severity-unknown" in page[page.index(item.public_id) :]
    assert "severity-medium" not in page[page.index(item.public_id) :]
