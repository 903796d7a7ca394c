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
