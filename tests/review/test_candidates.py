"""Two candidate outputs: sent, screened, shown side by side, preferred."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from review.candidates import output_is_left, preference_of
from review.errors import InvalidAnswer
from review.models import Assignment, PreferencePair, ReviewItem
from tests.factories import Cast, make_check
from tests.review.working import answer, claim_one, member, new_item
from webapp.interception.comparing import compared_check
from webapp.interception.models import Check, CheckContent
from webapp.interception.problems import Problem
from webapp.interception.schemas import CheckRequest

MESSAGES = [{"role": "user", "content": "How do I reach Ann?"}]
OWN, OTHER = "Ask at the desk, idiot.", "Ask at the desk."


def item_of_two(cast: Cast, **other: Any) -> ReviewItem:
    first = make_check(cast, output=OTHER, verdict="allow", flagged=False, findings=[], review="", **other)
    item = new_item(cast, output=OWN)
    Check.objects.filter(pk=item.checked_id).update(compared_with=first)
    return ReviewItem.objects.get(pk=item.pk)


def request(check: str, **fields: Any) -> CheckRequest:
    return CheckRequest.model_validate({"messages": MESSAGES, "output": OWN, "compare_with": check} | fields)


def test_a_check_names_another_one_of_the_same_conversation(cast: Cast) -> None:
    first = make_check(cast, output=OTHER, messages=MESSAGES, review="")
    assert compared_check(cast.application, request(first.public_id)) == first
    assert compared_check(cast.application, CheckRequest(output="x")) is None
    wrongs: list[dict[str, Any]] = [{"output": OTHER}, {"messages": []}, {"output": None}, {"compare_with": "chk_x"}]
    for wrong in wrongs:
        with pytest.raises(Problem) as refused:
            compared_check(cast.application, request(first.public_id, **wrong))
        assert refused.value.status == 422
    Check.objects.update(state="pending", verdict="", concluded_at=None)
    with pytest.raises(Problem, match="nothing to compare with"):
        compared_check(cast.application, request(first.public_id))


@pytest.mark.parametrize(
    ("preference", "strength"), [("left-1", 1.0), ("left-0.5", 0.5), ("tie", 0.0), ("right-0.5", 0.5), ("right-1", 1.0)]
)
def test_a_preference_is_stored_with_the_order_that_was_shown(cast: Cast, preference: str, strength: float) -> None:
    item_of_two(cast)
    reviewer = member(cast, cast.reviewer)
    slot = claim_one(cast, reviewer)
    done = answer(slot, reviewer, "release", preference=preference)
    pair = done.annotation.pairs.get()
    left, right = (OWN, OTHER) if output_is_left(slot) else (OTHER, OWN)
    chosen = {"left": left, "right": right}.get(preference.split("-")[0], OWN)
    assert (pair.chosen, {pair.chosen, pair.rejected}) == (chosen, {OWN, OTHER})
    assert (pair.strength, pair.source, pair.chosen_left) == (strength, "a_b", chosen == left)
    assert preference_of(done.annotation) == preference


def test_one_pass_gives_four_products(cast: Cast) -> None:
    item_of_two(cast)
    reviewer = member(cast, cast.reviewer)
    done = answer(claim_one(cast, reviewer), reviewer, "replace", correction="Ask Bo.", preference="left-1")
    assert done.decision is not None
    assert done.annotation.correction.text == "Ask Bo."
    assert sorted(done.annotation.pairs.values_list("source", flat=True)) == ["a_b", "correction"]


def test_nothing_said_is_no_pair_and_nothing_to_compare_no_preference(cast: Cast) -> None:
    item_of_two(cast)
    reviewer = member(cast, cast.reviewer)
    answer(claim_one(cast, reviewer), reviewer, "release")
    assert not PreferencePair.objects.exists()
    new_item(cast)
    slot = claim_one(cast, reviewer)
    for preference in ("left-1", "best"):
        with pytest.raises(InvalidAnswer, match="nothing to prefer"):
            answer(slot, reviewer, "release", preference=preference)


def test_both_stand_side_by_side_with_what_did_not_finish_on_each(cast: Cast, client: Client) -> None:
    item = item_of_two(cast)
    other = item.checked.compared_with
    assert other is not None
    Check.objects.filter(pk=other.pk).update(unscanned=[{"rule": "grounding", "reason": "deadline"}])
    slot = claim_one(cast, member(cast, cast.reviewer))
    client.force_login(cast.reviewer)
    url = reverse("review:item", args=[cast.project.slug, item.public_id])
    response = client.get(url)
    sides = {candidate.side: candidate for candidate in response.context["page"].candidates}
    texts = {side: "".join(p.text for chunk in one.chunks for p in chunk) for side, one in sides.items()}
    assert texts == ({"left": OWN, "right": OTHER} if output_is_left(slot) else {"left": OTHER, "right": OWN})
    assert response.text.count("<code>grounding</code>") == 1
    assert response.text.count("every rule finished") == 1
    CheckContent.objects.filter(checked=other).delete()
    assert client.get(url).context["page"].candidates == []


def test_the_order_is_drawn_anew_for_each_slot(cast: Cast) -> None:
    for _ in range(40):
        new_item(cast)
    orders = {output_is_left(slot) for slot in Assignment.objects.all()}
    assert orders == {True, False}, "one in a million million runs has them all alike"
