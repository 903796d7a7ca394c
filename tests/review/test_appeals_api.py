"""Appeals over HTTP, and on the page of whoever decides them."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from review.models import Appeal, AppealText, ReviewItem
from tests.factories import Cast, make_check
from tests.review.working import another, answer, claim_one, effects_now, member, new_item, queue_of
from webapp.accounts.services import create_api_key, create_application
from webapp.interception.models import Check

REASON = "<b>He quoted her.</b>"


@pytest.fixture
def blocked(cast: Cast) -> Check:
    """Return a check that the reviewer blocked."""
    queue_of(cast, undo_seconds=0)
    item = new_item(cast)
    reviewer = member(cast, cast.reviewer)
    answer(claim_one(cast, reviewer), reviewer, "block", statement="An insult.", note="She was <i>named</i>.")
    return item.checked


def call(cast: Cast, path: str, body: Any = None, *, key: str = "", **headers: str) -> tuple[int, dict[str, Any]]:
    """Post `body`, or get, and return status and answer."""
    sent = {"authorization": f"Bearer {key or cast.api_key}", **headers}
    client = Client(headers=sent)
    response = client.get(path) if body is None else client.post(path, body, content_type="application/json")
    return response.status_code, response.json()


def appeals_of(check: Check) -> str:
    return f"/v1/checks/{check.public_id}/appeals"


def test_an_application_contests_and_learns_what_came_of_it(cast: Cast, blocked: Check) -> None:
    status, made = call(cast, appeals_of(blocked), {"reason": REASON, "end_user": "u-77"})
    assert status == 201
    assert made | {"created_at": "", "id": ""} == {
        "id": "",
        "check": blocked.public_id,
        "state": "pending",
        "by": "end_user",
        "contested": {"outcome": "blocked", "by": "person"},
        "created_at": "",
        "decided_at": None,
    }
    queue_of(cast, undo_seconds=10)
    second = another(cast, "second")
    decision = answer(claim_one(cast, second), second, "release").decision
    assert decision is not None
    assert call(cast, f"/v1/appeals/{made['id']}") == (200, made)
    effects_now(decision)
    _, after = call(cast, f"/v1/appeals/{made['id']}")
    assert (after["state"], after["decided_at"]) == ("reversed", decision.created_at.isoformat())
    assert call(cast, appeals_of(blocked)) == (200, {"appeals": [after]})
    assert call(cast, f"/v1/checks/{blocked.public_id}")[1]["verdict"] == "allow"


def test_the_openapi_document_has_the_routes(client: Client) -> None:
    paths = client.get("/v1/openapi.json").json()["paths"]
    assert {*paths["/v1/checks/{check_id}/appeals"], *paths["/v1/appeals/{appeal_id}"]} == {"post", "get"}
    assert "Contest a decision" in client.get("/v1/docs").text


def test_a_retry_is_answered_as_it_stands(cast: Cast, blocked: Check) -> None:
    key = {"idempotency-key": "k-1"}
    status, made = call(cast, appeals_of(blocked), {"reason": REASON}, **key)
    assert (status, made["by"]) == (201, "application")
    assert call(cast, appeals_of(blocked), {"reason": f" {REASON}\n"}, **key) == (200, made)
    assert call(cast, appeals_of(blocked), {"reason": "Else."}, **key)[0] == 409


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"reason": " \n"},
        {"reason": "x" * 4001},
        {"reason": "nul\0"},
        {"reason": "x", "end_user": "u" * 201},
        {"why": 1},
    ],
    ids=["none", "blank", "long", "nul", "long user", "unknown"],
)
def test_a_malformed_one_is_refused(cast: Cast, blocked: Check, body: dict[str, str]) -> None:
    status, problem = call(cast, appeals_of(blocked), body)
    assert (status, problem["title"]) == (400, "Malformed request")
    assert Appeal.objects.count() == 0


def test_what_can_not_be_contested_is_a_conflict(cast: Cast) -> None:
    waiting = make_check(cast)
    status, problem = call(cast, appeals_of(waiting), {"reason": REASON})
    assert (status, problem["title"]) == (409, "Conflict")
    assert "not decided yet" in problem["detail"]


def test_nothing_crosses_projects(cast: Cast, blocked: Check) -> None:
    _, made = call(cast, appeals_of(blocked), {"reason": REASON})
    _, theirs = create_api_key(application=create_application(project=cast.other_project, name="theirs"))
    for path, body in (
        (appeals_of(blocked), {"reason": REASON}),
        (appeals_of(blocked), None),
        (f"/v1/appeals/{made['id']}", None),
    ):
        assert call(cast, path, body, key=theirs)[0] == 404
        assert call(cast, path, body, key="wrong")[0] == 401
    assert [call(cast, f"/v1/appeals/{text}")[0] for text in ("apl_x", blocked.public_id)] == [404, 404]


def test_too_many_are_told_when_to_come_again(cast: Cast, blocked: Check, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("review.services.appeal_limits.PER_APPLICATION", 1)
    call(cast, appeals_of(blocked), {"reason": REASON})
    headers = {"authorization": f"Bearer {cast.api_key}"}
    other = make_check(cast, verdict="block", review="")
    refused = Client(headers=headers).post(appeals_of(other), {"reason": REASON}, content_type="application/json")
    assert (refused.status_code, refused["Retry-After"]) == (429, "600")


def test_who_decides_it_reads_the_reason_and_the_decision_but_not_who_made_it(
    cast: Cast, client: Client, blocked: Check
) -> None:
    call(cast, appeals_of(blocked), {"reason": REASON, "end_user": "u-77"})
    page = reverse("review:item", args=[cast.project.slug, ReviewItem.objects.get().public_id])
    second = another(cast, "second")
    claim_one(cast, second)
    client.force_login(second.user)
    text = client.get(page).text
    assert "You decide this appeal" in text
    assert re.search(
        r'An end user contests:\s*<span class="badge">blocked</span>\s*<span class="muted">decided by people', text
    )
    assert "&lt;b&gt;He quoted her.&lt;/b&gt;" in text
    assert "An insult." in text
    assert "She was &lt;i&gt;named&lt;/i&gt;." in text
    assert "reviewer" not in text[text.index("<h3>Appeal") : text.index("<h2>Conversation")]
    assert 'value="unsure"' not in text
    AppealText.objects.all().delete()
    assert "What was written is erased." in client.get(page).text


def test_the_reason_is_covered_where_the_texts_are(cast: Cast, client: Client, blocked: Check) -> None:
    call(cast, appeals_of(blocked), {"reason": REASON})
    item = ReviewItem.objects.get()
    ReviewItem.objects.update(severity=4)
    second = another(cast, "second")
    claim_one(cast, second)
    client.force_login(second.user)
    text = client.get(reverse("review:item", args=[cast.project.slug, item.public_id])).text
    assert re.search(r"<p class=.prose. hidden data-covered[^>]*>&lt;b&gt;He quoted", text)


def test_leads_are_told_when_nobody_is_left_to_decide_it(cast: Cast, client: Client, blocked: Check) -> None:
    cast.project.memberships.exclude(user__in=[cast.reviewer, cast.compliance]).delete()
    call(cast, appeals_of(blocked), {"reason": REASON})
    page = reverse("review:item", args=[cast.project.slug, ReviewItem.objects.get().public_id])
    client.force_login(cast.compliance)
    assert "add a reviewer" in client.get(page).text
    another(cast, "second")
    assert "add a reviewer" not in client.get(page).text
