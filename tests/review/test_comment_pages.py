"""Comments on pages: forms, mentions, what is sealed."""

from __future__ import annotations

import uuid
from typing import Any

from django.test import Client
from django.urls import reverse

from review.comments import unread_mentions
from review.models import Comment, Mention, ReviewItem
from tests.factories import Cast
from tests.review.working import another, answer, claim_one, member, new_item, say
from webapp.accounts.models import Role
from webapp.accounts.services import SYSTEM, add_member, remove_member

HOSTILE = "</p><script>alert(1)</script>\"'<img src=x onerror=alert(1)> @lead"


def test_who_was_asked_reads_it_on_the_item_s_page(cast: Cast, client: Client) -> None:
    item = new_item(cast)
    say(item, member(cast, cast.reviewer), "@lead?")
    queues = reverse("review:queues", args=[cast.project.slug])
    mine = reverse("review:mine", args=[cast.project.slug])
    client.force_login(cast.lead)
    assert "You were mentioned: 1 unread" in client.get(queues).text
    page = client.get(mine).text
    assert item.public_id in page
    assert ">unread<" in page
    assert "@lead?" not in page, "what was said may be sealed: it is on the item's page alone"
    assert "@lead?" in client.get(reverse("review:item", args=[cast.project.slug, item.public_id])).text
    assert "unread" not in client.get(queues).text
    client.force_login(cast.owner)
    theirs = reverse("review:reviewer", args=[cast.project.slug, cast.lead.id])
    assert "You were mentioned" not in client.get(theirs).text


def test_what_is_sealed_stays_unread(cast: Cast, client: Client) -> None:
    item = new_item(cast)
    reviewer, second = member(cast, cast.reviewer), another(cast, "second")
    say(item, reviewer, "@second?")
    answer(claim_one(cast, reviewer), reviewer, "")
    claim_one(cast, second)
    client.force_login(second.user)
    page = client.get(reverse("review:item", args=[cast.project.slug, item.public_id])).text
    assert "@second?" not in page
    assert unread_mentions(project=cast.project, user=second.user) == 1


def test_mentions_of_another_project_stay_there(cast: Cast, client: Client) -> None:
    item = new_item(cast)
    add_member(project=cast.other_project, user=cast.lead, role=Role.LEAD)
    say(item, member(cast, cast.reviewer), "@lead?")
    client.force_login(cast.lead)
    for page in ("queues", "mine"):
        text = client.get(reverse(f"review:{page}", args=[cast.other_project.slug])).text
        assert "unread" not in text
        assert item.public_id not in text


def test_a_removed_member_s_comments_stay_readable(cast: Cast, client: Client) -> None:
    item = new_item(cast)
    second = another(cast, "second")
    say(item, member(cast, cast.reviewer), "@second?")
    say(item, second, "No.")
    remove_member(membership=second, actor=SYSTEM)
    client.force_login(cast.lead)
    page = client.get(reverse("review:item", args=[cast.project.slug, item.public_id])).text
    assert "@second" in page
    assert "No." in page
    client.force_login(second.user)
    assert client.get(reverse("review:mine", args=[cast.project.slug])).status_code == 404


def post(cast: Cast, client: Client, item: ReviewItem, *, script: bool = False, **form: str) -> Any:
    url = reverse("review:comment", args=[cast.project.slug, item.public_id])
    headers = {"accept": "application/json"} if script else {}
    return client.post(url, {"comment": str(uuid.uuid4()), **form}, follow=not script, headers=headers)


def test_forms_comment_and_say_why_not(cast: Cast, client: Client) -> None:
    item = new_item(cast)
    client.force_login(cast.reviewer)
    page = post(cast, client, item, text=HOSTILE, quote="idiot", ask=str(cast.owner.id))
    assert "The comment is saved." in page.text
    assert "<script>alert" not in page.text
    assert "<img src=x" not in page.text
    assert "&lt;script&gt;alert(1)" in page.text
    assert ">idiot</blockquote>" in page.text
    assert {mention.user for mention in Mention.objects.all()} == {cast.lead, cast.owner}
    assert "at most 5000" in post(cast, client, item, text="").text
    assert "incomplete" in post(cast, client, item, text="x", comment="x").text
    assert "of the list" in post(cast, client, item, text="x", ask=str(cast.outsider.id)).text
    assert Comment.objects.count() == 1


def test_words_of_a_covered_output_are_covered_in_comments_too(cast: Cast, client: Client) -> None:
    item = new_item(cast)
    ReviewItem.objects.filter(pk=item.pk).update(severity=4)
    client.force_login(cast.reviewer)
    claim_one(cast, member(cast, cast.reviewer))
    html = post(cast, client, item, script=True, text="Bad.", quote="idiot").json()["html"]
    page = client.get(reverse("review:item", args=[cast.project.slug, item.public_id])).text
    hidden = '<blockquote class="remark-quote" hidden data-covered'
    assert hidden in html
    assert hidden in page


def test_a_script_gets_the_thread_and_the_next_key(cast: Cast, client: Client) -> None:
    item = new_item(cast)
    claim_one(cast, member(cast, cast.reviewer))
    client.force_login(cast.reviewer)
    done = post(cast, client, item, script=True, text=HOSTILE, near="9" * 30).json()
    assert done["status"] == "accepted"
    assert "<script>alert" not in done["html"]
    assert "&lt;script&gt;alert(1)" in done["html"]
    refused = post(cast, client, item, script=True, text="x", comment=str(Comment.objects.get().id), ask="")
    assert refused.json()["key"] != done["key"]
    assert post(cast, client, item, script=True, text="").status_code == 422
