from __future__ import annotations

import datetime as dt
import re
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from review.models import Annotation, Queue, ReviewItem
from review.numbers import number_findings
from review.services import claim_items
from tests.factories import Cast
from tests.review.working import another, answer, claim_one, events, member, new_item, queue_of


def queues_url(cast: Cast) -> str:
    return reverse("review:queues", args=[cast.project.slug])


def item_url(cast: Cast, item: ReviewItem) -> str:
    return reverse("review:item", args=[cast.project.slug, item.public_id])


def test_the_queue_list_counts_what_waits(cast: Cast, client: Client) -> None:
    first, second, third = (new_item(cast) for _ in range(3))
    ReviewItem.objects.filter(pk=first.pk).update(severity=4)
    ReviewItem.objects.filter(pk=second.pk).update(sla_due_at=timezone.now() - dt.timedelta(minutes=1))
    reviewer = member(cast, cast.reviewer)
    ReviewItem.objects.filter(pk=third.pk).update(state="escalated")
    claim_one(cast, reviewer)
    client.force_login(cast.reviewer)
    [row] = client.get(queues_url(cast)).context["queues"]
    counts = (row.waiting, row.critical, row.medium, row.overdue, row.with_leads, row.mine)
    assert counts == (3, 1, 2, 1, 1, 1)
    assert row.oldest == first.created_at


def test_queues_of_other_projects_are_not_listed(cast: Cast, client: Client) -> None:
    new_item(cast)
    client.force_login(cast.outsider)
    page = client.get(reverse("review:queues", args=[cast.other_project.slug]))
    assert list(page.context["queues"]) == []


def test_the_queue_list_takes_as_many_queries_for_many_queues(
    cast: Cast, client: Client, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    queue = queue_of(cast)
    for number in range(5):
        Queue.objects.create(
            project=cast.project, slug=f"q{number}", name=f"Q {number}", label_schema=queue.label_schema
        )
        new_item(cast)
    client.force_login(cast.reviewer)
    with django_assert_num_queries(15):
        client.get(queues_url(cast))


def test_the_item_page_takes_as_many_queries_for_many_findings(
    cast: Cast, client: Client, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    place = {"rule": "pii", "detector": "pii", "category": "PHONE", "score": 1.0, "action": "mask"}
    new_item(cast, findings=[place | {"start": n, "end": n + 2} for n in range(0, 40, 2)])
    slot = claim_one(cast, member(cast, cast.reviewer))
    client.force_login(cast.reviewer)
    with django_assert_max_num_queries(40):
        assert client.get(item_url(cast, slot.item)).status_code == 200


def test_hostile_output_is_shown_as_text(cast: Cast, client: Client) -> None:
    hostile = "</textarea></script><script>alert(1)</script>\"'<img src=x onerror=alert(1)>"
    item = new_item(cast, output=hostile, findings=[], messages=[{"role": "<b>", "content": hostile}])
    claim_one(cast, member(cast, cast.reviewer))
    client.force_login(cast.reviewer)
    html = client.get(item_url(cast, item)).text
    assert "<script>alert" not in html
    assert "<img src=x" not in html
    assert "&lt;script&gt;alert(1)" in html


@pytest.mark.parametrize(
    "message",
    [
        {"role": "user", "content": [{"type": "text", "text": "part one"}, {"type": "image_url", "image_url": {}}]},
        {"role": "assistant", "content": None, "tool_calls": [{"function": {"name": "part one"}}]},
        {"role": "user"},
        {"content": 3},
    ],
)
def test_messages_of_any_shape_are_shown(cast: Cast, client: Client, message: dict[str, Any]) -> None:
    item = new_item(cast, messages=[message])
    claim_one(cast, member(cast, cast.reviewer))
    client.force_login(cast.reviewer)
    assert client.get(item_url(cast, item)).status_code == 200


def test_what_was_screened_of_a_message_is_shown_first_and_what_was_found_in_it_marked(
    cast: Cast, client: Client
) -> None:
    call = {"name": "f", "arguments": "to a@b.example"}
    said = {"role": "assistant", "content": None, "refusal": "No.", "function_call": call}
    found = {
        "rule": "pii", "detector": "pii", "category": "EMAIL_ADDRESS", "action": "redact", "score": 1.0,
        "target": "messages.0", "start": 7, "end": 18
    }  # fmt: skip
    item = new_item(cast, messages=[said], findings=[found])
    claim_one(cast, member(cast, cast.reviewer))
    client.force_login(cast.reviewer)
    html = client.get(item_url(cast, item)).text
    assert re.search(r"No\.\s*to <mark[^>]*>\s*a@b\.example", html), "and the name of the function below"
    assert "function_call" in html


def test_a_megabyte_of_output_is_shown_whole(cast: Cast, client: Client) -> None:
    output = "é" * (512 * 1024 - 20) + " ann@example.com"
    item = new_item(cast, output=output)
    claim_one(cast, member(cast, cast.reviewer))
    client.force_login(cast.reviewer)
    page = client.get(item_url(cast, item)).text
    assert page.count("é" * (512 * 1024 - 20)) == 1, "the editor has it whole"
    assert page.count("é") == 2 * (512 * 1024 - 20), "the text in chunks; redacted it is fetched when asked for"
    assert page.count('<div class="chunk">') == 132


def test_a_decided_item_says_who_decided_what(cast: Cast, client: Client) -> None:
    item = new_item(cast)
    reviewer = member(cast, cast.reviewer)
    answer(claim_one(cast, reviewer), reviewer, "replace", correction="Ask at the desk.", note="Rude.")
    client.force_login(cast.lead)
    page = client.get(item_url(cast, item)).text
    assert all(part in page for part in ("Ask at the desk.", "Rude.", "by reviewer", "replace"))
    client.force_login(another(cast, "colleague").user)
    assert "by another reviewer" in client.get(item_url(cast, item)).text


def test_an_adjudicator_sees_answers_without_names(cast: Cast, client: Client) -> None:
    queue = queue_of(cast, required_reviews=2, max_reviews=2)
    item = new_item(cast)
    for name, outcome in (("ursula", "block"), ("viktor", "release")):
        who = another(cast, name)
        answer(claim_one(cast, who), who, outcome, note=f"I say {outcome}.")
    client.force_login(cast.reviewer)
    assert "I say block." not in client.get(item_url(cast, item)).text, "who may still answer sees no answers"
    claim_items(queue=queue, membership=member(cast, cast.lead))
    client.force_login(cast.lead)
    page = client.get(item_url(cast, item)).text
    assert "I say block." in page
    assert "I say release." in page
    assert "ursula" not in page
    assert 'value="unsure"' not in page


def test_what_i_decided_is_listed_newest_first(cast: Cast, client: Client) -> None:
    reviewer = member(cast, cast.reviewer)
    items = []
    for outcome in ("release", "block"):
        items.append(new_item(cast))
        answer(claim_one(cast, reviewer), reviewer, outcome)
    client.force_login(cast.reviewer)
    page = client.get(reverse("review:mine", args=[cast.project.slug]))
    assert [row.outcome for row in page.context["answers"]] == ["block", "release"]
    assert items[0].public_id in page.text


def test_home_lists_only_my_projects(cast: Cast, client: Client) -> None:
    client.force_login(cast.reviewer)
    page = client.get(reverse("home")).text
    assert "Acme" in page
    assert "Other" not in page


def test_the_navigation_offers_nothing_that_would_be_refused(cast: Cast, client: Client) -> None:
    client.force_login(cast.reviewer)
    page = client.get(queues_url(cast))
    assert b"/applications/" not in page.content
    client.force_login(cast.owner)
    assert b"/applications/" in client.get(queues_url(cast)).content


def test_pages_allow_no_inline_script_or_style(cast: Cast, client: Client) -> None:
    client.force_login(cast.reviewer)
    page = client.get(queues_url(cast))
    policy = page["Content-Security-Policy"]
    assert "script-src 'self'" in policy
    assert "unsafe-inline" not in policy


class TestPlainForms:
    """What happens without scripts."""

    def start(self, cast: Cast, client: Client) -> tuple[str, dict[str, str]]:
        client.force_login(cast.reviewer)
        page = client.post(reverse("review:work", args=[cast.project.slug, "default"]), follow=True)
        shown = page.context["page"]
        form = {
            "token": str(shown.slot.lease_token),
            "version": str(shown.item.version),
            "submission": str(shown.submission),
        }
        return reverse("review:submit", args=[cast.project.slug, shown.slot.id]), form

    def test_submitting_goes_to_the_next_item(self, cast: Cast, client: Client) -> None:
        first, second = new_item(cast), new_item(cast)
        url, form = self.start(cast, client)
        response = client.post(url, form | {"outcome": "block", "note": "n", "label-hate": "no"})
        assert response["Location"] == item_url(cast, second)
        assert first.annotations.get().labels == {"hate": False}

    def test_the_last_one_goes_back_to_the_queues(self, cast: Cast, client: Client) -> None:
        new_item(cast)
        url, form = self.start(cast, client)
        page = client.post(url, form | {"outcome": "release"}, follow=True)
        assert page.redirect_chain[-1][0] == queues_url(cast)
        assert "Nothing is waiting for you" in page.text

    def test_a_refused_answer_is_shown_again_with_all_that_was_typed(self, cast: Cast, client: Client) -> None:
        item = new_item(cast)
        url, form = self.start(cast, client)
        email = item.checked.findings.get(category="EMAIL_ADDRESS")
        number = number_findings(item.checked.findings.all())[email.id]
        page = client.post(
            url,
            form | {"outcome": "redact", "note": "my long note", f"finding-{number}": "drop", "label-hate": "yes"},
        )
        assert page.status_code == 422
        assert "nothing to redact" in page.text
        assert "my long note" in page.text
        draft = page.context["page"].draft
        assert (draft.findings, draft.labels) == ({email.id: False}, {"hate": True})

    @pytest.mark.parametrize("field", ["token", "version", "submission", "outcome"])
    def test_an_incomplete_form_is_refused(self, cast: Cast, client: Client, field: str) -> None:
        new_item(cast)
        url, form = self.start(cast, client)
        assert client.post(url, form | {"outcome": "release", field: ""}).status_code == 422
        assert not Annotation.objects.exists()

    def test_form_line_ends_do_not_count_as_an_edit(self, cast: Cast, client: Client) -> None:
        new_item(cast, output="one\ntwo", findings=[])
        url, form = self.start(cast, client)
        refused = client.post(url, form | {"outcome": "replace", "correction": "one\r\ntwo"})
        assert "same as the output" in refused.text
        client.post(url, form | {"outcome": "replace", "correction": "one\r\nthree"})
        assert Annotation.objects.get().correction.text == "one\nthree"

    def test_scripts_get_json_instead(self, cast: Cast, client: Client) -> None:
        new_item(cast)
        url, form = self.start(cast, client)
        json = {"Accept": "application/json"}
        assert client.post(url, form, headers=json).json()["status"] == "invalid"
        done = client.post(url, form | {"outcome": "block"}, headers=json)
        assert {**done.json(), "undo": None} == {"status": "accepted", "message": "", "undo": None}

    def test_the_one_behind_is_claimed_and_its_view_recorded(self, cast: Cast, client: Client) -> None:
        new_item(cast), new_item(cast)
        self.start(cast, client)
        answer = client.post(reverse("review:ahead", args=[cast.project.slug, "default"])).json()
        assert "Submit and next" in answer["html"]
        assert answer["waiting"] == "0"
        assert len(events("content.viewed")) >= 1

    def test_stopping_gives_everything_back(self, cast: Cast, client: Client) -> None:
        new_item(cast), new_item(cast)
        url, _ = self.start(cast, client)
        client.post(url.replace("/submit/", "/release/"))
        assert len(claim_items(queue=queue_of(cast), membership=another(cast, "second"))) == 2
