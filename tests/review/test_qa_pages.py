"""The pages on which leads look at decisions again."""

from __future__ import annotations

from django.test import Client
from django.urls import reverse

from review.models import Assignment
from review.services import claim_qa
from tests.factories import Cast
from tests.review.qa import decided, judge
from tests.review.working import another, member
from webapp.accounts.models import Membership


def test_a_lead_works_through_it_by_forms(cast: Cast, client: Client, reviewer: Membership) -> None:
    decided(cast, reviewer, note="<b>Fine.</b>")
    client.force_login(cast.lead)
    page = client.post(reverse("review:qa-next", args=[cast.project.slug]), follow=True)
    assert "&lt;b&gt;Fine.&lt;/b&gt;" in page.text
    assert "Reviewer A" in page.text
    table = page.text[page.text.index("peer-table") :]
    assert cast.reviewer.username not in table[: table.index("</table>")]
    slot = Assignment.objects.get(role="qa")
    url = reverse("review:qa-item", args=[cast.project.slug, slot.id])
    sent = {"outcome": "block", "severity": "", "then": "holds", "note": "", "token": str(slot.lease_token)}
    assert client.post(url, sent).status_code == 422
    assert client.post(url, {"outcome": "block"}).status_code == 400
    done = client.post(url, sent | {"severity": "major", "note": "A threat."}, follow=True)
    assert "the decision holds no more" in done.text
    assert "There is no decision for you to look at." in done.text
    row = done.context["rows"][0]
    assert (row.waiting, row.errors.all.part, row.errors.major.whole) == (0, 1, 1)


def test_a_lead_leaves_one_to_others(cast: Cast, client: Client, reviewer: Membership, lead: Membership) -> None:
    decided(cast, reviewer)
    slot = claim_qa(membership=lead)
    assert slot is not None
    client.force_login(cast.owner)
    url = reverse("review:qa-release", args=[cast.project.slug, slot.id])
    assert client.post(url).status_code == 404
    client.force_login(cast.lead)
    assert client.post(url).status_code == 302
    assert claim_qa(membership=member(cast, cast.owner)) == slot


def test_a_qa_slot_is_no_slot_of_the_console(
    cast: Cast, client: Client, reviewer: Membership, lead: Membership
) -> None:
    item = decided(cast, reviewer)
    slot = claim_qa(membership=lead)
    assert slot is not None
    client.force_login(cast.lead)
    for name in ("submit", "heartbeat", "skip", "escalate"):
        sent = {"token": str(slot.lease_token), "reason": "unclear", "outcome": "block"}
        assert client.post(reverse(f"review:{name}", args=[cast.project.slug, slot.id]), sent).status_code == 404
    page = client.get(reverse("review:item", args=[cast.project.slug, item.public_id])).text
    assert "Submit and next" not in page


def test_errors_are_for_the_reviewer_and_leads_alone(
    cast: Cast, client: Client, reviewer: Membership, lead: Membership
) -> None:
    decided(cast, reviewer)
    judge(claim_qa(membership=lead), lead, "block", "major", note="A threat.")
    client.force_login(cast.reviewer)
    mine = client.get(reverse("review:mine", args=[cast.project.slug]))
    assert (mine.context["errors"].all.part, mine.context["errors"].all.whole) == (1, 1)
    assert "A threat." in mine.text
    theirs = reverse("review:reviewer", args=[cast.project.slug, cast.reviewer.id])
    client.force_login(another(cast, "colleague").user)
    assert client.get(theirs).status_code == 403
    assert client.get(reverse("review:mine", args=[cast.project.slug])).context["errors"].all.whole == 0
    client.force_login(cast.lead)
    assert client.get(theirs).context["errors"].all.whole == 1
