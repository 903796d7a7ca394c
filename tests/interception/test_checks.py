"""`POST /v1/checks`: a verdict that is stored before it is answered."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from pytest_django import Settings

from policies.services import add_policy_version
from tests.factories import Cast
from tests.interception.conftest import ApiClient
from tests.silent_redis import DeafRedis, SilentRedis
from webapp.accounts.models import ApiKey, Project
from webapp.accounts.services import SYSTEM, revoke_api_key
from webapp.audit.models import AuditEvent
from webapp.interception.auth import _counter, within_limit
from webapp.interception.models import Check, Finding
from workers.client import PATIENCE_SECONDS


@pytest.fixture
def api(both_doors: ApiClient) -> ApiClient:
    return both_doors


def test_a_clean_output_is_allowed_as_it_is(api: ApiClient) -> None:
    answer = api.check("All is well.", messages=[{"role": "user", "content": "How are things?"}])
    assert answer["unscanned"] == []
    assert (answer["verdict"], answer["flagged"], answer["output"]) == ("allow", False, "All is well.")
    assert answer["findings"] == []
    assert answer["policy"]["name"] == "support-bot"
    assert set(answer["timings"]) == {"total_ms", "queue_ms", "inference_ms"}


def test_personal_data_is_redacted_with_offsets_in_code_points(api: ApiClient) -> None:
    answer = api.check("😀👍🏽 שלום ann@example.com 😀")
    assert (answer["verdict"], answer["output"]) == ("redact", "😀👍🏽 שלום [EMAIL_ADDRESS] 😀")
    (finding,) = answer["findings"]
    assert (finding["category"], finding["start"], finding["end"]) == ("EMAIL_ADDRESS", 9, 24)


def test_context_documents_reach_a_grounding_rule(api: ApiClient, cast: Cast) -> None:
    rule = "{id: grounded, detector: grounding, categories: {unsupported: {flag: 0.5}}}"
    add_policy_version(project=cast.project, document=f"name: grounded\nrules:\n  - {rule}\n")
    output = "The shop in Graz opens at 9. Its owner is Tom Baker."
    fields = {"policy": "grounded", "deadline_ms": 30_000}
    answer = api.check(output, context=["The shop in Graz opens at 9 and closes at 18."], **fields)
    assert answer["unscanned"] == []
    assert [(each["start"], each["end"]) for each in answer["findings"]] == [(29, 52)]
    assert api.check(output, **fields)["unscanned"] == [{"rule": "grounded", "reason": "no context"}]


def test_the_stored_row_is_what_was_answered(api: ApiClient, cast: Cast) -> None:
    answer = api.check("ann@example.com", end_user="u-1", conversation_id="c-1", metadata={"k": [1, None]})
    check = Check.objects.select_related("content").get()
    assert check.public_id == answer["id"]
    assert (check.verdict, check.content.released) == (answer["verdict"], answer["output"])
    assert (check.project, check.content.output, check.content.end_user) == (cast.project, "ann@example.com", "u-1")
    assert check.content.metadata == {"k": [1, None]}
    assert Finding.objects.filter(checked=check).count() == len(answer["findings"])


def test_the_audit_event_carries_the_verdict_and_no_text(api: ApiClient) -> None:
    api.check("ann@example.com", end_user="person-17")
    envelope = bytes(AuditEvent.objects.get(type="check.concluded").envelope)
    assert json.loads(envelope)["outcome"]["decision"] == "redact"
    assert b"ann@example" not in envelope
    assert b"person-17" not in envelope


def test_a_check_can_be_asked_for_again(api: ApiClient) -> None:
    answer = api.check("All is well.")
    again = json.loads(api.get(f"/v1/checks/{answer['id']}").content)
    assert again == answer


def test_a_retry_with_the_same_key_gets_the_stored_verdict(api: ApiClient) -> None:
    first = api.post("/v1/checks", {"output": "ann@example.com"}, Idempotency_Key="k1")
    second = api.post("/v1/checks", {"output": "ann@example.com"}, Idempotency_Key="k1")
    assert json.loads(first.content) == json.loads(second.content)
    assert Check.objects.count() == 1


def test_the_same_key_for_another_request_is_a_conflict(api: ApiClient) -> None:
    api.post("/v1/checks", {"output": "one"}, Idempotency_Key="k1")
    response = api.post("/v1/checks", {"output": "two"}, Idempotency_Key="k1")
    assert response.status_code == 409
    assert "hint" in json.loads(response.content)


def test_only_messages_may_be_screened(api: ApiClient) -> None:
    response = api.post("/v1/checks", {"messages": [{"role": "user", "content": "hello"}]})
    answer = json.loads(response.content)
    assert (response.status_code, answer["unscanned"]) == (200, [])
    assert (answer["verdict"], answer["output"]) == ("allow", None)


def test_an_empty_output_is_screened_like_any_other(api: ApiClient) -> None:
    answer = api.check("")
    assert (answer["verdict"], answer["unscanned"]) == ("allow", [])


@pytest.mark.parametrize("content", [None, [], [{"type": "image_url", "image_url": {"url": "x"}}], "text"])
def test_messages_may_have_any_content_of_the_chat_api(api: ApiClient, content: object) -> None:
    messages = [
        {"role": "user", "content": content},
        {"role": "assistant", "content": None, "tool_calls": [{"id": "1", "type": "function"}]},
        {"role": "tool", "tool_call_id": "1", "content": "result"},
    ]
    answer = api.check("done", messages=messages)
    assert (answer["verdict"], answer["unscanned"]) == ("allow", [])


def test_another_projects_check_is_not_found(api: ApiClient, cast: Cast) -> None:
    from webapp.accounts.services import create_api_key, create_application

    answer = api.check("All is well.")
    _, secret = create_api_key(application=create_application(project=cast.other_project, name="theirs"))
    response = ApiClient(secret).get(f"/v1/checks/{answer['id']}")
    assert response.status_code == 404


def test_a_revoked_key_is_refused(api: ApiClient, cast: Cast) -> None:
    revoke_api_key(key=ApiKey.objects.get(application=cast.application), actor=SYSTEM)
    response = api.post("/v1/checks", {"output": "x"})
    assert response.status_code == 401
    assert Check.objects.count() == 0


@pytest.mark.parametrize("key", ["", "csk_wrong", "x" * 5000])
def test_without_a_good_key_nothing_is_screened(api: ApiClient, key: str) -> None:
    response = ApiClient(key).post("/v1/checks", {"output": "x"})
    assert response.status_code == 401
    assert response["WWW-Authenticate"].startswith("Bearer")
    assert "hint" in json.loads(response.content)


@contextmanager
def limits_in(redis_url: str, settings: Settings, use_broker: Callable[[str], None]) -> Iterator[None]:
    """Have limits counted, and workers asked, in another Redis."""
    settings.REDIS_URL = redis_url
    use_broker(redis_url)
    _counter.cache_clear()
    try:
        yield
    finally:
        _counter().storage.storage.close()
        _counter.cache_clear()


def test_limits_wait_for_a_redis_that_says_nothing_once(
    cast: Cast, silent_redis: SilentRedis, settings: Settings, use_broker: Callable[[str], None]
) -> None:
    with limits_in(silent_redis.url, settings, use_broker):
        assert [within_limit(project, 3) for project in (cast.project, cast.other_project)] == [3, 3]
        assert silent_redis.callers() == 1


def test_a_check_waits_for_a_redis_that_says_nothing_once(
    cast: Cast, silent_redis: SilentRedis, settings: Settings, use_broker: Callable[[str], None]
) -> None:
    with limits_in(silent_redis.url, settings, use_broker):
        answer = ApiClient(cast.api_key).check("fine")
        assert {rule["reason"] for rule in answer["unscanned"]} == {"broker unreachable"}
        assert silent_redis.callers() == 1, "for its limit, and not again for the workers"


def test_limits_wait_for_a_redis_that_can_not_be_reached_once_and_not_for_long(
    cast: Cast, deaf_redis: DeafRedis, settings: Settings, use_broker: Callable[[str], None]
) -> None:
    with limits_in(deaf_redis.url, settings, use_broker):
        start = time.monotonic()
        assert [within_limit(project, 3) for project in (cast.project, cast.other_project)] == [3, 3]
        assert time.monotonic() - start < 3 * PATIENCE_SECONDS


def test_the_projects_limit_is_kept(api: ApiClient, cast: Cast) -> None:
    cast.project.requests_per_minute = 2
    cast.project.save()
    codes = [api.post("/v1/checks", {"output": "x"}).status_code for _ in range(3)]
    assert codes == [200, 200, 429]
    response = api.post("/v1/checks", {"output": "x"})
    assert int(response["Retry-After"]) > 0


def test_an_unknown_policy_is_named_with_those_there_are(api: ApiClient) -> None:
    response = api.post("/v1/checks", {"output": "x", "policy": "nope"})
    assert response.status_code == 422
    assert "support-bot" in json.loads(response.content)["hint"]


def test_a_project_without_a_default_policy_is_told_where_to_choose_one(api: ApiClient, cast: Cast) -> None:
    Project.objects.update(default_policy="")
    answer = json.loads(api.post("/v1/checks", {"output": "x"}).content)
    assert (answer["status"], "no default one" in answer["detail"]) == (422, True)
    assert "on the page Settings. There are: support-bot" in answer["hint"]


def test_screening_costs_a_fixed_number_of_queries(
    api: ApiClient, django_assert_max_num_queries: pytest.FixtureRequest
) -> None:
    api.check("warm")
    with django_assert_max_num_queries(9):  # type: ignore[operator]
        api.check("ann@example.com and bob@example.com and 4111 1111 1111 1111")
