"""Two candidate outputs through the API: each is screened, and a person compares them."""

from __future__ import annotations

import json
from typing import Any

from review.models import ReviewItem
from tests.factories import Cast
from tests.interception.conftest import ApiClient
from webapp.interception.models import Check

MESSAGES = [{"role": "user", "content": "How do I reach Ann?"}]


def test_the_second_candidate_comes_before_a_person_and_both_were_screened(api: ApiClient, cast: Cast) -> None:
    first = api.check("Ask at the desk.", messages=MESSAGES)
    answered = api.check("Write to ann@example.com.", messages=MESSAGES, compare_with=first["id"])
    assert (first["verdict"], first["review"], answered["verdict"]) == ("allow", None, "redact")
    item = ReviewItem.objects.get()
    assert [trigger.kind for trigger in item.triggers.all()] == ["compared"]
    other = item.checked.compared_with
    assert other is not None
    assert (other.public_id, other.state) == (first["id"], "concluded")


def test_what_can_not_be_compared_is_refused_and_not_screened(api: ApiClient, cast: Cast) -> None:
    first = api.check("Ask at the desk.", messages=MESSAGES)
    wrongs: list[dict[str, Any]] = [{"messages": []}, {"compare_with": "chk_x"}, {"output": "Ask at the desk."}]
    for wrong in wrongs:
        asked = {"output": "Ask Bo.", "messages": MESSAGES, "compare_with": first["id"]} | wrong
        refused = api.post("/v1/checks", asked)
        assert (refused.status_code, bool(json.loads(refused.content)["hint"])) == (422, True)
    assert Check.objects.count() == 1


def batch(api: ApiClient, *checks: dict[str, Any], **headers: str) -> list[dict[str, Any]]:
    answered = api.post("/v1/checks/batch", {"checks": checks}, **headers)
    assert answered.status_code == 200, answered.content
    results: list[dict[str, Any]] = json.loads(answered.content)["results"]
    return results


def test_two_candidates_come_in_one_batch_and_before_one_person(both_doors: ApiClient, cast: Cast) -> None:
    second = {"output": "Write to ann@example.com.", "messages": MESSAGES, "compare_with": "#1"}
    checks = [second, {"output": "Ask at the desk.", "messages": MESSAGES}]

    answered = [batch(both_doors, *checks, Idempotency_Key="once") for _ in range(2)]

    assert [one["verdict"] for one in answered[0]] == ["redact", "allow"]
    item = ReviewItem.objects.get()
    assert item.checked.public_id == answered[0][0]["id"]
    assert item.checked.compared_with is not None
    assert item.checked.compared_with.public_id == answered[0][1]["id"]
    assert [one["id"] for one in answered[1]] == [one["id"] for one in answered[0]]
    assert Check.objects.count() == 2


def test_of_three_candidates_two_name_the_first(api: ApiClient, cast: Cast) -> None:
    outputs = ("Ask at the desk.", "Call her.", "Write to her.")
    first, *others = [{"output": output, "messages": MESSAGES} for output in outputs]
    results = batch(api, first, *[{**other, "compare_with": "#0"} for other in others])
    assert [one["verdict"] for one in results] == ["allow"] * 3
    compared = [item.checked.compared_with for item in ReviewItem.objects.all()]
    assert [check and check.public_id for check in compared] == [results[0]["id"]] * 2


def test_a_place_that_is_none_is_refused_alone(api: ApiClient, cast: Cast) -> None:
    fine: dict[str, Any] = {"output": "Ask at the desk.", "messages": MESSAGES}
    other: dict[str, Any] = {"output": "Call her.", "messages": MESSAGES}
    wrongs = [{**other, "compare_with": place} for place in ("#7", "#1", "#", "#-1", "#\u0661", "#9999")]
    # The last one names a check that names another.
    results = batch(api, fine, *wrongs, {**other, "compare_with": "#0"}, {**other, "compare_with": "#7"})

    assert ["verdict" in one for one in results] == [True, *[False] * len(wrongs), True, False]
    assert {one["status"] for one in results if "status" in one} == {422}
    # To check one first and wait for its verdict, as those who name an id are told, would be of no help.
    assert {"names no other itself" in one["hint"] for one in results if "status" in one} == {True}
    assert Check.objects.count() == 2
