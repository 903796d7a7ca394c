"""Reviewers get what they want, read and can."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from review.models import Assignment, ReviewerProfile, ReviewItem
from review.services import claim_items
from review.services.grouping import group_items
from tests.factories import Cast
from tests.review.working import another, events, member, new_item, queue_of
from webapp.accounts.models import Membership

GERMAN = "Sie können Ann unter dieser Nummer erreichen, wenn Sie eine Frage zu Ihrer Bestellung haben."


@pytest.fixture
def who(cast: Cast) -> Membership:
    return member(cast, cast.reviewer)


def wish(who: Membership, **fields: list[str]) -> None:
    ReviewerProfile.objects.update_or_create(membership=who, defaults=fields)
    who.refresh_from_db()


def given(cast: Cast, who: Membership) -> list[ReviewItem]:
    return [slot.item for slot in claim_items(queue=queue_of(cast), membership=who)]


def test_who_opted_out_of_a_category_never_gets_it_and_others_do(cast: Cast, who: Membership) -> None:
    harassing = new_item(cast)
    harmless = new_item(cast, findings=[])
    wish(who, opted_out=["harassment", "violence"])
    assert given(cast, who) == [harmless]
    assert given(cast, another(cast, "other")) == [harassing]


def test_not_even_when_a_lead_assigns_it_or_its_finding_came_late(cast: Cast, who: Membership) -> None:
    item = new_item(cast, findings=[])
    Assignment.objects.filter(item=item).update(assignee=cast.reviewer)
    found = new_item(cast).checked.findings.get(category="harassment")
    found.pk, found.checked = None, item.checked
    found.save()
    wish(who, opted_out=["harassment"])
    assert given(cast, who) == []


def test_a_reviewer_gets_languages_that_they_read_and_items_of_unknown_language(cast: Cast, who: Membership) -> None:
    german, unknown = new_item(cast, output=GERMAN, findings=[]), new_item(cast, output="42", findings=[], messages=[])
    assert group_items() == 2
    german.refresh_from_db()
    unknown.refresh_from_db()
    assert (german.language, unknown.language) == ("de", "")
    wish(who, languages=["en", "fr"])
    assert given(cast, who) == [unknown]
    other = another(cast, "other")
    wish(other, languages=["de"])
    assert given(cast, other) == [german]


def test_a_queue_gives_items_to_who_has_all_its_skills(cast: Cast, who: Membership, client: Client) -> None:
    item = new_item(cast)
    queue_of(cast, skills=["medical", "child safety"])
    wish(who, skills=["medical"])
    client.force_login(cast.reviewer)
    work = reverse("review:work", args=[cast.project.slug, "default"])
    assert "skills that you do not have: child safety." in client.post(work, follow=True).text
    client.force_login(cast.lead)
    page = reverse("review:skills", args=[cast.project.slug, cast.reviewer.id])
    assert client.post(page, {"skills": "Child safety\nmedical\n"}).status_code == 302
    [event] = events("review.reviewer.changed")
    assert (event["actor"]["role"], event["counts"]) == ("lead", {"skills": 2})
    who.refresh_from_db()
    assert given(cast, who) == [item]


def test_wishes_are_chosen_on_a_page(cast: Cast, who: Membership, client: Client) -> None:
    queue_of(cast)
    client.force_login(cast.reviewer)
    page = reverse("review:wishes", args=[cast.project.slug])
    assert client.post(page, {"opted_out": ["self-harm"], "languages": "EN\nde"}).status_code == 302
    profile = ReviewerProfile.objects.get()
    assert (profile.opted_out, profile.languages) == (["self-harm"], ["en", "de"])
    assert 'value="self-harm" id="id_opted_out' in client.get(page).text
    assert "Not a code of a language: xx." in client.post(page, {"languages": "xx"}).text
    assert client.post(page, {"opted_out": ["no such"]}).status_code == 400


def test_the_claim_of_who_wishes_something_reads_by_index(cast: Cast, who: Membership) -> None:
    new_item(cast)
    wish(who, opted_out=["violence"], languages=["en"])
    queue = queue_of(cast)
    with CaptureQueriesContext(
        connection,
    ) as queries:
        claim_items(queue=queue, membership=who, k=1)
    claim = next(query["sql"] for query in queries if "UPDATE review_assignment SET" in query["sql"])
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
        cursor.execute(f"EXPLAIN {claim}")
        plan = "\n".join(row[0] for row in cursor.fetchall())
    assert "Seq Scan" not in plan, plan
