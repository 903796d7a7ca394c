"""What people say about an item, who sees it, and who is asked."""

from __future__ import annotations

import uuid

import pytest
from django.test import Client
from django.urls import reverse

from review.comments import thread_of
from review.errors import InvalidAnswer
from review.models import Comment, Mention, ReviewItem
from review.services import comments, reopen
from review.services.comments import Commented
from tests.factories import Cast
from tests.review.working import (
    another,
    answer,
    claim_one,
    effects_now,
    events,
    member,
    new_item,
    queue_of,
    say,
)
from webapp.accounts.models import Membership
from webapp.accounts.services import SYSTEM, remove_member


def seen(item: ReviewItem, who: Membership) -> list[str]:
    item.refresh_from_db()
    return [remark.comment.text for remark in thread_of(item=item, membership=who).remarks]


def asked(done: Commented) -> set[str]:
    return {mention.user.username for mention in done.comment.mentions.all()}


def test_a_comment_asks_whom_it_names_and_whom_it_chooses(cast: Cast) -> None:
    item = new_item(cast)
    another(cast, "ann.b+c")
    text = "@LEAD, see (@ann.b+c). Not ann@lead.org, nor @@owner? @reviewer myself"
    done = say(item, member(cast, cast.reviewer), text, ask=cast.owner.id)
    assert asked(done) == {"lead", "ann.b+c", "owner"}
    assert "nobody was told" in done.message, "@owner has one @ too many"
    [event] = events("review.comment.added")
    assert f"user:{cast.lead.id}" in event["cause"]
    assert "ann" not in str(event)


@pytest.mark.parametrize("name", ["outsider", "compliance", "nobody", "gone"])
def test_only_members_who_review_are_asked(cast: Cast, name: str) -> None:
    item = new_item(cast)
    remove_member(membership=another(cast, "gone"), actor=SYSTEM)
    done = say(item, member(cast, cast.reviewer), f"Ask @{name}!")
    assert asked(done) == set()
    assert "nobody was told" in done.message
    assert done.comment.text == f"Ask @{name}!"
    with pytest.raises(InvalidAnswer):
        say(item, member(cast, cast.reviewer), ask=cast.outsider.id)


def test_the_same_comment_sent_twice_is_stored_once(cast: Cast) -> None:
    item, key = new_item(cast), uuid.uuid4()
    reviewer = member(cast, cast.reviewer)
    assert say(item, reviewer, "@lead?", key=key).comment == say(item, reviewer, "@lead?", key=key).comment
    assert (Comment.objects.count(), Mention.objects.count(), len(events("review.comment.added"))) == (1, 1, 1)
    with pytest.raises(InvalidAnswer):
        say(item, member(cast, cast.lead), key=key)


def test_comments_of_one_item_have_an_end(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(comments, "MOST", 2)
    item, reviewer = new_item(cast), member(cast, cast.reviewer)
    for _ in range(2):
        say(item, reviewer)
    with pytest.raises(InvalidAnswer, match="has 2 comments"):
        say(item, reviewer)


@pytest.mark.parametrize("text", ["", " \r\n", "x" * 5001, "nul\0"])
def test_what_can_not_be_kept_is_refused(cast: Cast, text: str) -> None:
    with pytest.raises(InvalidAnswer):
        say(new_item(cast), member(cast, cast.reviewer), text)


@pytest.mark.parametrize(
    ("output", "quote", "near", "place"),
    [
        ("one two one", "one", 0, (0, 3)),
        ("one two one", "one", 9, (8, 11)),
        ("👍🏽 one", "one", 3, (3, 6)),
        ("a\r\nb", "a\r\nb", 0, (0, 4)),
        ("a\rb a\nb", "a\nb", 4, (4, 7)),
        ("(.*)", ".*", 0, (1, 3)),
    ],
)
def test_a_comment_is_about_a_part_of_the_output(
    cast: Cast, output: str, quote: str, near: int, place: tuple[int, int]
) -> None:
    item = new_item(cast, output=output, findings=[])
    done = say(item, member(cast, cast.reviewer), quote=quote, near=near)
    assert (done.comment.start, done.comment.end) == place
    [remark] = thread_of(item=item, membership=member(cast, cast.lead)).remarks
    assert remark.quote == output[slice(*place)]


@pytest.mark.parametrize("quote", ["not there", "x" * 2001])
def test_a_part_that_is_not_there_is_refused(cast: Cast, quote: str) -> None:
    with pytest.raises(InvalidAnswer):
        say(new_item(cast), member(cast, cast.reviewer), quote=quote)


def test_later_reviewers_see_the_comments_of_an_item_with_one_answer(cast: Cast) -> None:
    item = new_item(cast)
    reviewer, second = member(cast, cast.reviewer), another(cast, "second")
    say(item, reviewer)
    claim_one(cast, second)
    assert seen(item, second) == ["Odd."]


def test_who_answers_independently_sees_only_their_own_until_it_is_decided(cast: Cast) -> None:
    queue_of(cast, required_reviews=2)
    item = new_item(cast)
    reviewer, second, colleague = member(cast, cast.reviewer), another(cast, "second"), another(cast, "colleague")
    one, two = claim_one(cast, reviewer), claim_one(cast, second)
    say(item, reviewer, "Clearly an insult.")
    say(item, second, "Harmless.")
    lead = member(cast, cast.lead)
    assert seen(item, reviewer) == ["Clearly an insult."]
    assert seen(item, second) == ["Harmless."]
    assert seen(item, colleague) == []
    both = ["Clearly an insult.", "Harmless."]
    assert seen(item, lead) == seen(item, member(cast, cast.compliance)) == both
    answer(one, reviewer)
    assert seen(item, reviewer) == ["Clearly an insult."]
    assert seen(item, second) == ["Harmless."]
    decision = answer(two, second).decision
    assert decision is not None
    item.refresh_from_db()
    assert seen(item, second) == ["Harmless."], "they could take their answer back"
    effects_now(decision)
    item.refresh_from_db()
    assert seen(item, reviewer) == seen(item, second) == seen(item, colleague) == both


def test_a_lead_who_answers_with_the_others_sees_as_little(cast: Cast) -> None:
    queue_of(cast, required_reviews=2)
    item = new_item(cast)
    say(item, member(cast, cast.reviewer))
    lead = member(cast, cast.lead)
    assert seen(item, lead) == ["Odd."]
    claim_one(cast, lead)
    assert seen(item, lead) == []


def test_a_comment_is_sealed_once_a_second_answer_is_asked_for(cast: Cast) -> None:
    item = new_item(cast)
    reviewer, second = member(cast, cast.reviewer), another(cast, "second")
    say(item, reviewer, "I think it is fine. @second?")
    assert seen(item, second) == ["I think it is fine. @second?"]
    answer(claim_one(cast, reviewer), reviewer, "")
    assert seen(item, another(cast, "third")) == []
    assert seen(item, second) == ["I think it is fine. @second?"], "they were asked, and answer nothing themselves"
    claim_one(cast, second)
    assert seen(item, second) == []


def test_an_item_in_its_blind_cycle_shows_no_comments_to_who_did_not_answer(cast: Cast) -> None:
    item = new_item(cast)
    ReviewItem.objects.filter(pk=item.pk).update(blind=True)
    say(item, another(cast, "second"), "The model says 0.9.")
    claim_one(cast, member(cast, cast.reviewer))
    assert seen(item, member(cast, cast.reviewer)) == []


def test_only_leads_are_asked_about_an_item_that_several_answer(cast: Cast) -> None:
    queue_of(cast, required_reviews=2)
    item = new_item(cast)
    second = another(cast, "second")
    done = say(item, member(cast, cast.reviewer), "@second or @lead?")
    assert asked(done) == {"lead"}
    assert "Only leads can be asked here" in done.message
    with pytest.raises(InvalidAnswer):
        say(item, member(cast, cast.reviewer), ask=second.user_id)
    people = thread_of(item=item, membership=member(cast, cast.reviewer)).people
    assert {person.username for person in people} == {"owner", "lead"}


def test_who_decides_sees_comments_without_names(cast: Cast, client: Client) -> None:
    queue_of(cast, required_reviews=2, max_reviews=2)
    item = new_item(cast)
    reviewer, second = member(cast, cast.reviewer), another(cast, "second")
    one, two = claim_one(cast, reviewer), claim_one(cast, second)
    say(item, second, "Harmless.")
    answer(one, reviewer, "block"), answer(two, second, "release")
    client.force_login(cast.lead)
    claim_one(cast, member(cast, cast.lead))
    page = client.get(reverse("review:item", args=[cast.project.slug, item.public_id])).text
    assert "Harmless." in page
    assert "a colleague" in page
    assert "<b>second</b>" not in page


def test_the_comments_of_a_reopened_item_go_along(cast: Cast) -> None:
    item = new_item(cast)
    reviewer, second = member(cast, cast.reviewer), another(cast, "second")
    decision = answer(claim_one(cast, reviewer), reviewer).decision
    assert decision is not None
    say(item, reviewer, "Was close.")
    effects_now(decision)
    reopen(item=item, membership=member(cast, cast.lead), reason="Look again.")
    claim_one(cast, second)
    assert seen(item, second) == ["Was close."]
