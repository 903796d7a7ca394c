"""Golden items on pages: no tell for reviewers, and how a lead makes and retires them."""

from __future__ import annotations

import re

import pytest
from django.test import Client
from django.urls import reverse

from review import golden_views
from review.dashboard.intervals import Share
from review.models import Annotation, GoldenItem, ReviewItem
from review.services import claim_items
from tests.factories import Cast
from tests.review.golden import decided, finish, golden_of, probe_of
from tests.review.working import another, answer, claim_one, events, member, new_item, queue_of


def page_of(client: Client, cast: Cast, item: ReviewItem) -> str:
    """Return the page of an item without what differs between any two items."""
    page = client.get(reverse("review:item", args=[cast.project.slug, item.public_id])).text
    for slot in item.assignments.all():
        page = page.replace(str(slot.id), "SLOT").replace(str(slot.lease_token), "TOKEN")
    for decision in item.decisions.all():
        page = page.replace(str(decision.id), "DECISION")
    page = page.replace(item.public_id, "ITEM").replace(str(item.id), "ITEM")
    page = re.sub(r'(<input type="hidden" name="\w+" value=")[^"]*', r"\1X", page)
    page = re.sub(r'(data-(lease-seconds|sla|seconds)=")[^"]+', r"\1N", page)
    return re.sub(
        r"\d{4}-\d\d-\d\d[T ][\d:.+]+|\b\d\d:\d\d(:\d\d)?|\d+ s\b|\d+\sminutes?|<b data-(today|waiting)>\d+|nonce-\S+",
        "T",
        page,
    )


def test_a_probe_s_page_is_that_of_an_ordinary_item(cast: Cast, client: Client, probe: ReviewItem) -> None:
    reviewer = member(cast, cast.reviewer)
    ordinary = new_item(cast)
    queue = queue_of(cast)
    claim_items(queue=queue, membership=reviewer)
    client.force_login(cast.reviewer)
    assert page_of(client, cast, probe) == page_of(client, cast, ordinary)
    pages = {}
    for item in (probe, ordinary):
        slot = item.assignments.get()
        slot.item.refresh_from_db()
        done = answer(slot, reviewer, "block", note="No.")
        pages[item.id] = page_of(client, cast, item)
        assert done.decision is not None
        finish(done)
        pages[item.id] += page_of(client, cast, item)
    assert pages[probe.id] == pages[ordinary.id]


def test_a_submission_answers_as_for_an_ordinary_item(cast: Cast, client: Client, probe: ReviewItem) -> None:
    reviewer = member(cast, cast.reviewer)
    ordinary = new_item(cast)
    claim_items(queue=queue_of(cast), membership=reviewer)
    client.force_login(cast.reviewer)
    said = []
    for number, item in enumerate((probe, ordinary)):
        slot = item.assignments.get()
        form = {
            "outcome": "block",
            "token": str(slot.lease_token),
            "version": str(item.version),
            "submission": f"00000000-0000-4000-8000-00000000000{number}",
        }
        url = reverse("review:submit", args=[cast.project.slug, slot.id])
        body = client.post(url, form, headers={"accept": "application/json"}).json()
        assert body["undo"].pop("url")
        body["undo"]["seconds"] = round(body["undo"]["seconds"])
        said.append(body)
    assert said[0] == said[1]


def test_reviewers_find_it_like_any_other_and_leads_do_not(cast: Cast, client: Client, probe: ReviewItem) -> None:
    url = reverse("review:browse", args=[cast.project.slug])
    assert probe.golden is not None
    source = probe.golden.source
    client.force_login(cast.reviewer)
    page = client.get(url, {"q": "Ann"}).text
    assert probe.public_id in page
    assert source.public_id not in page, "it would give the answer away"
    client.force_login(cast.lead)
    page = client.get(url, {"q": "Ann"}).text
    assert probe.public_id not in page
    assert source.public_id in page


def test_what_waits_is_more_by_a_probe_for_reviewers_alone(cast: Cast, client: Client, probe: ReviewItem) -> None:
    url = reverse("review:queues", args=[cast.project.slug])
    counts = []
    for user in (cast.reviewer, cast.lead):
        client.force_login(user)
        [row] = client.get(url).context["queues"]
        counts.append(row.waiting)
    assert counts == [2, 1]


def test_a_reviewer_s_own_page_counts_it_and_says_no_more(cast: Cast, client: Client, probe: ReviewItem) -> None:
    reviewer = member(cast, cast.reviewer)
    finish(answer(claim_one(cast, reviewer), reviewer, "block"))
    client.force_login(cast.reviewer)
    page = client.get(reverse("review:mine", args=[cast.project.slug]))
    assert page.context["figures"].today == 1
    assert "olden" not in page.text
    client.force_login(cast.lead)
    assert "Golden items" in client.get(reverse("review:reviewer", args=[cast.project.slug, cast.reviewer.id])).text


def test_to_the_reviewer_it_counts_in_every_figure_and_to_leads_in_none(
    cast: Cast, client: Client, golden: GoldenItem
) -> None:
    queue_of(cast, required_reviews=2)
    second = another(cast, "second")
    probe_of(cast, golden)
    for person in (member(cast, cast.reviewer), second):
        done = answer(claim_one(cast, person), person, "block")
    finish(done)
    client.force_login(second.user)
    own = client.get(reverse("review:mine", args=[cast.project.slug])).context["figures"]
    assert (own.agreement, own.kappa.items) == (Share(1, 1), 1)
    client.force_login(cast.lead)
    url = reverse("review:reviewer", args=[cast.project.slug, second.user_id])
    seen = client.get(url).context["figures"]
    assert (seen.agreement, seen.kappa.items) == (Share(0, 0), 0)


def test_reviewers_read_no_version_of_the_policy(cast: Cast, client: Client, probe: ReviewItem) -> None:
    url = reverse("review:item", args=[cast.project.slug, probe.public_id])
    for user, told in ((cast.reviewer, False), (cast.lead, True)):
        client.force_login(user)
        assert (f"policy {probe.checked.policy_version}" in client.get(url).text) == told


def test_a_lead_makes_one_from_an_item_and_retires_it(cast: Cast, client: Client) -> None:
    item = decided(cast)
    email = item.checked.findings.get(category="EMAIL_ADDRESS")
    client.force_login(cast.lead)
    page = client.get(reverse("review:item", args=[cast.project.slug, item.public_id])).text
    url = reverse("review:golden-new", args=[cast.project.slug, item.public_id])
    assert url in page
    form = client.get(url).context["form"]
    assert form["outcome"].value() == "block"
    sent = {"outcome": "redact", "label-hate": "yes", "label-violence": "no", "note": "<b>Clear.</b>"}
    sent["spans"] = f"{email.start}-{email.end}-EMAIL_ADDRESS"
    listed = client.post(url, sent, follow=True)
    golden = GoldenItem.objects.get()
    assert (golden.outcome, golden.labels) == ("redact", {"hate": True, "violence": False})
    assert golden.spans == [[email.start, email.end, "EMAIL_ADDRESS"]]
    assert "&lt;b&gt;Clear.&lt;/b&gt;" in listed.text
    again = client.post(url, sent)
    assert (again.status_code, "golden already" in again.text) == (400, True)
    listed = client.post(reverse("review:golden-retire", args=[cast.project.slug, golden.id]), follow=True)
    assert "No golden item yet" in listed.text
    assert len(events("review.golden.retired")) == 1


def test_an_answer_that_the_queue_does_not_offer_is_refused(cast: Cast, client: Client) -> None:
    item = decided(cast)
    client.force_login(cast.lead)
    url = reverse("review:golden-new", args=[cast.project.slug, item.public_id])
    assert client.post(url, {"outcome": "praise"}).status_code == 400
    assert client.post(url, {"outcome": "block", "spans": "0-3-NAME"}).status_code == 400
    assert not GoldenItem.objects.exists()
    assert Annotation.objects.count() == 1


def test_golden_items_are_listed_by_pages(cast: Cast, client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(golden_views, "PAGE", 1)
    for _ in range(2):
        golden_of(cast, decided(cast))
    client.force_login(cast.lead)
    url = reverse("review:golden", args=[cast.project.slug])
    first, second = client.get(url).text, client.get(url, {"page": "2"}).text
    assert "Page 1 of 2" in first
    assert 'href="?page=2"' in first
    assert "Page 2 of 2" in second
    assert first.count(">Retire<") == second.count(">Retire<") == 1
