"""What comes in later is decided as its near-duplicates were decided at once, where the queue has precedents."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.urls import reverse

from policies.services import add_policy_version
from review.models import Annotation, Assignment, ClusterDecision, Decision, LabelSchema, ReviewItem
from review.own import own_figures
from review.selectors import newest_undoable
from review.services import AppealRequest, claim_items, make_appeal, raise_item, reopen, undo_decision
from review.services.grouping import group_items
from review.services.precedents import follow_late
from review.tasks import sweep_clusters, sweep_effects
from tests.factories import POLICY, Cast, make_check
from tests.review.test_cluster_decisions import decide, letter, time_passes, told
from tests.review.test_clusters import LETTER
from tests.review.working import another, effects_now, events, member, new_item, queue_of
from webapp.accounts.models import Membership


def precedent(cast: Cast, outcome: str = "block", *, found: tuple[str, ...] = (), **answer: Any) -> ClusterDecision:
    """Have the reviewer decide two letters at once, in a queue with precedents, so long ago that it holds."""
    queue_of(cast, precedents=True)
    first = letter(cast, "Ann", found=found)
    letter(cast, "Bob", found=tuple("Bob" if word == "Ann" else word for word in found))
    decided = decide(cast, first, outcome, **answer)
    time_passes(decided)
    sweep_clusters()
    decided.refresh_from_db()
    return decided


def comes_in(cast: Cast, name: str = "Cy", **letters: Any) -> ReviewItem:
    item = letter(cast, name, **letters)
    group_items()
    item.refresh_from_db()
    return item


def test_what_comes_in_later_is_decided_like_it(cast: Cast) -> None:
    decided = precedent(cast, reasons=["pii"], labels={"harassment": False})
    item = comes_in(cast)
    decision = item.decisions.get()
    assert (item.state, decision.method, decision.outcome) == ("decided", "cluster", "block")
    assert (decision.decided_by, decision.precedent) == (cast.reviewer, decided.decision)
    assert decision.statement == decided.decision.statement
    said = item.annotations.get()
    assert (said.reviewer, said.precedent, said.reasons) == (cast.reviewer, decided.decision, ["pii"])
    assert said.labels == {"harassment": False}
    [event] = events("review.item.attached")
    assert event["actor"]["kind"] == "system"
    assert event["reason_codes"] == [f"cluster:{decided.id}", f"precedent:{decided.decision_id}"]
    assert [one["outcome"]["automated"] for one in events("review.decision.recorded")] == [False, False, True]


def test_its_effects_wait_and_who_decided_the_first_can_take_it_back(cast: Cast) -> None:
    precedent(cast, "release")
    item = comes_in(cast)
    decision = item.decisions.get()
    assert (decision.seconds_to_undo() > 0, told(item)) == (True, None)
    undo_decision(decision=decision, membership=member(cast, cast.reviewer))
    item.refresh_from_db()
    assert (item.state, told(item)) == ("pending", None)
    assert group_items() == 0
    assert item.assignments.get().lease_owner == cast.reviewer
    again = comes_in(cast, "Di")
    assert again.state == "pending"  # one of it was taken back


def test_nobody_takes_back_by_their_undo_key_what_they_did_not_decide(cast: Cast) -> None:
    precedent(cast)
    comes_in(cast)
    assert Decision.objects.latest("created_at").seconds_to_undo() > 0
    assert newest_undoable(project=cast.project, user=cast.reviewer) is None


def test_each_loses_its_own_words(cast: Cast) -> None:
    precedent(cast, "redact", found=("Ann",))
    item = comes_in(cast, "Bartholomew", found=("Bartholomew",))
    effects_now(item.decisions.get())
    sweep_effects()
    assert told(item) == LETTER.format(name="[PERSON]", number=4711)


def test_what_came_in_while_it_could_be_taken_back_follows_then(cast: Cast) -> None:
    queue_of(cast, precedents=True)
    first = letter(cast)
    letter(cast, "Bob")
    decided = decide(cast, first)
    item = comes_in(cast)
    assert item.state == "pending"
    time_passes(decided)
    assert sweep_clusters() == 1
    item.refresh_from_db()
    assert (item.state, item.decisions.get().precedent) == ("decided", decided.decision)
    assert follow_late(decided.id) == 0


def test_without_the_setting_nothing_follows(cast: Cast) -> None:
    first = letter(cast)
    letter(cast, "Bob")
    time_passes(decide(cast, first))
    sweep_clusters()
    queue_of(cast, precedents=True)  # whoever decided did not know
    assert comes_in(cast).state == "pending"


def taken_off(cast: Cast, decided: ClusterDecision) -> None:
    queue_of(cast, precedents=False)


def opened_again(cast: Cast, decided: ClusterDecision) -> None:
    reopen(item=decided.item, membership=member(cast, cast.lead), reason="Look again.")


def one_of_it_contested(cast: Cast, decided: ClusterDecision) -> None:
    check = decided.members.get().item.checked
    make_appeal(check=check, application=cast.application, wanted=AppealRequest(reason="It is true."))


def other_labels(cast: Cast, decided: ClusterDecision) -> None:
    schema = LabelSchema.objects.create(project=cast.project, name="other")
    queue_of(cast, label_schema=schema.versions.create(version=1, definition={"categories": ["harassment"]}))


def other_policy(cast: Cast, decided: ClusterDecision) -> None:
    cast.policy_version = add_policy_version(project=cast.project, document=POLICY.replace("60000", "50000"))


def who_decided_left(cast: Cast, decided: ClusterDecision) -> None:
    Membership.objects.filter(user=cast.reviewer).delete()


@pytest.mark.parametrize(
    "happens", [taken_off, opened_again, one_of_it_contested, other_labels, other_policy, who_decided_left]
)
def test_nothing_follows_a_precedent_that_holds_no_more(
    cast: Cast, happens: Callable[[Cast, ClusterDecision], None]
) -> None:
    decided = precedent(cast)
    happens(cast, decided)
    item = comes_in(cast)
    assert (item.state, item.cluster) == ("pending", decided.item.cluster)
    assert not events("review.item.attached")


def test_what_a_person_has_to_look_at_does_not_follow(cast: Cast) -> None:
    precedent(cast)
    sampled = new_item(
        cast, output=LETTER.format(name="Di", number=4711), findings=[], review="sampled", inclusion_prob=0.1
    )
    harmful, far = letter(cast, "Ed", harm=True), letter(cast, "Bartholomew Fotheringay-Smythe the Third", harm=True)
    taken = letter(cast, "Flo")
    ReviewItem.objects.filter(pk=taken.pk).update(priority=9)
    Assignment.objects.filter(item=taken).update(priority=9)
    assert claim_items(queue=queue_of(cast), membership=another(cast, "second"), k=1)[0].item_id == taken.id
    queue_of(cast, blind_rate=1)
    blind = letter(cast, "Gil")
    queue_of(cast, blind_rate=0, overlap_rate=1)
    double = letter(cast, "Hal")
    queue_of(cast, overlap_rate=0)
    unflagged = make_check(cast, output=LETTER.format(name="Ida", number=4711), findings=[], flagged=False, review="")
    appealed = raise_item(check=unflagged, kind="appeal")
    group_items()
    followed = ReviewItem.objects.filter(decisions__precedent__isnull=False)
    assert not followed.filter(id__in=[one.id for one in (sampled, harmful, far, taken, blind, double, appealed)])
    assert not events("review.item.attached")


def test_both_like_the_first_of_their_cluster_need_not_be_like_each_other(cast: Cast) -> None:
    words = LETTER.split()
    queue_of(cast, precedents=True)
    middle = new_item(cast, output=" ".join(words), findings=[])
    group_items()
    ReviewItem.objects.filter(pk=middle.pk).update(state="decided")
    first = new_item(cast, output=" ".join([*words[:-3], "x"]), findings=[])
    new_item(cast, output=" ".join([*words[:-3], "y"]), findings=[])
    group_items()
    Assignment.objects.filter(item=middle).update(state="void")
    time_passes(decide(cast, first))
    sweep_clusters()
    apart = new_item(cast, output=" ".join(["Hi", *words[4:]]), findings=[])
    group_items()
    apart.refresh_from_db()
    assert (apart.cluster, apart.state) == (middle.id, "pending")


def test_the_newest_precedent_is_found_by_its_index(cast: Cast) -> None:
    decided = precedent(cast)
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")  # an empty table is read faster without an index
        cursor.execute(
            "EXPLAIN SELECT id FROM review_clusterdecision WHERE queue_id = %s AND precedent_of = %s "
            "AND state = 'done' AND ended_at IS NULL ORDER BY id DESC LIMIT 1",
            [decided.queue_id, decided.precedent_of],
        )
        plan = "\n".join(line for (line,) in cursor.fetchall())
    assert "cluster_precedent" in plan


def test_pages_say_what_follows_what(cast: Cast, client: Client) -> None:
    decided = precedent(cast)
    item = comes_in(cast)
    client.force_login(cast.reviewer)
    page = client.get(reverse("review:item", args=[cast.project.slug, item.public_id])).text
    assert "Nobody read this output" in page
    assert reverse("review:item", args=[cast.project.slug, decided.item.public_id]) in page
    assert "Take back" in page
    common = reverse("review:cluster-decision", args=[cast.project.slug, decided.id])
    assert item.public_id in client.get(common).text
    undone = client.post(reverse("review:undo", args=[cast.project.slug, item.decisions.get().id]), follow=True)
    assert undone.redirect_chain[-1][0].endswith(f"{item.public_id}/")
    assert "Nothing follows it since" in client.get(common).text


def test_the_list_of_items_finds_what_followed(cast: Cast, client: Client) -> None:
    decided = precedent(cast)
    item = comes_in(cast)
    client.force_login(cast.lead)
    found = client.get(reverse("review:browse", args=[cast.project.slug]), {"method": "followed"}).text
    assert item.public_id in found
    assert decided.item.public_id not in found


def test_reviewers_answers_of_today_do_not_count_what_followed(cast: Cast) -> None:
    precedent(cast)
    comes_in(cast)
    assert Annotation.objects.filter(reviewer=cast.reviewer).count() == 3
    assert own_figures(project=cast.project, user=cast.reviewer).today == 2
