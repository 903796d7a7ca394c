"""Which texts of a request are scanned, and that what no detector reads is not passed."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest

from screening.engine import Engine, Job
from screening.findings import Text
from screening.policy import parse_policy
from screening.ruling import MAX_FINDINGS, TOO_MANY, UNSUPPORTED
from screening.verdict import conclude
from tests.interception.conftest import ApiClient
from webapp.interception.models import Check
from webapp.interception.texts import content_text, message_text, texts_of
from workers.runtimes.fake import FakeGuard

BAD = "zork"
POLICY_TEXT = """
name: p
rules:
  - id: words
    detector: phrases
    on: [output, input]
    options: {lists: {bad: {terms: [zork]}}}
    entities: {bad: block}
"""
POLICY = parse_policy(POLICY_TEXT)
USER = {"role": "user", "content": BAD}
CALL = {"role": "assistant", "content": None, "tool_calls": [{"function": {"name": "f", "arguments": "{}"}}]}
RESULT = {"role": "tool", "content": "result"}
ANSWER = {"role": "assistant", "content": "an earlier answer"}


def calls(*made: object, content: str | None = None) -> dict[str, Any]:
    return {"role": "assistant", "content": content, "tool_calls": [*made]}


READ: dict[str, list[dict[str, Any]]] = {
    "the user's message": [USER],
    "before an answer that was cut short": [USER, {"role": "assistant", "content": "I think"}],
    "an assistant's message at the end": [{"role": "assistant", "content": BAD}],
    "before tool calls": [USER, CALL, RESULT],
    "before tool calls with a word beside them": [USER, CALL | {"content": "Let me look."}, RESULT],
    "before a tool used by a part": [
        USER,
        {"role": "assistant", "content": [{"text": "Let me look."}, {"type": "tool_use", "input": {}}]},
        RESULT,
    ],
    "the result of a tool": [ANSWER, CALL, {"role": "tool", "content": BAD}],
    "parts": [{"role": "user", "content": [{"type": "text", "text": BAD}]}],
    "parts within parts": [{"role": "user", "content": [{"type": "tool_result", "content": [{"text": BAD}]}]}],
    "arguments of a tool call": [calls({"function": {"name": "f", "arguments": json.dumps({"a": BAD})}})],
    "arguments of a tool call with a word beside it": [
        calls({"function": {"name": "f", "arguments": json.dumps({"a": BAD})}}, content="Let me look."),
        RESULT,
    ],
    "arguments that are no string": [calls({"function": {"name": "f", "arguments": {"a": [1, BAD]}}})],
    "input of a custom tool": [calls({"type": "custom", "custom": {"name": "f", "input": BAD}})],
    "a call of another form": [calls({"name": "f", "parameters": {"a": BAD}})],
    "a call that is no object": [calls(BAD)],
    "calls that are no list": [{"role": "assistant", "tool_calls": {"function": {"arguments": BAD}}}],
    "a function call": [{"role": "assistant", "content": None, "function_call": {"name": "f", "arguments": BAD}}],
    "a function call of another form": [{"role": "assistant", "function_call": {"parameters": BAD}}],
    "input of a tool used by a part": [
        {"role": "assistant", "content": [{"type": "tool_use", "name": "f", "input": {"a": BAD}}]},
        RESULT,
    ],
    "input of a tool used by a part of a part": [
        {"role": "assistant", "content": [[{"type": "tool_use", "name": "f", "input": BAD}]]},
        RESULT,
    ],
    "a part that refuses": [{"role": "assistant", "content": [{"type": "refusal", "refusal": BAD}]}],
    "a tool and what it gave in one part": [
        {"role": "assistant", "content": [{"type": "tool-f", "input": {"a": 1}, "output": BAD}]}
    ],
    "content beside an empty text": [{"role": "user", "content": [{"text": "", "content": BAD}]}],
    "input beside an empty content": [{"role": "assistant", "content": [{"input": {"a": BAD}, "content": ""}]}],
    "a call by name alone": [calls({"function": "f", "arguments": BAD})],
    "arguments beside a function": [calls({"function": {"name": "f"}, "arguments": BAD})],
    "a function of two kinds": [calls({"function": {"name": "f"}, "custom": {"input": BAD}})],
    "parameters beside no arguments": [calls({"function": {"name": "f", "arguments": None, "parameters": [BAD]}})],
    "input beside empty arguments": [calls({"function": {"name": "f", "arguments": "", "input": BAD}})],
    "what the model thought": [USER | {"content": "x"}, {"role": "assistant", "content": "", "reasoning_content": BAD}],
    "numbers": [{"role": "user", "content": [{"text": BAD}, 7, {"text": 7}]}],
    "a refusal": [{"role": "assistant", "content": None, "refusal": f"I will not say {BAD}."}],
}


def verdict(output: str | None, messages: list[dict[str, Any]]) -> tuple[str, tuple[tuple[str, str], ...]]:
    now = time.time()
    asked = Job(POLICY.canonical, texts_of(output, messages), now, now + 60)
    (result,) = Engine(FakeGuard).run([asked], "cpu")
    conclusion = conclude(POLICY, output, result.rules, b"")
    return conclusion.verdict, conclusion.unscanned


@pytest.mark.parametrize("messages", READ.values(), ids=READ.keys())
def test_it_is_read(messages: list[dict[str, Any]]) -> None:
    assert verdict(None, messages) == ("block", ())


@pytest.mark.parametrize("messages", READ.values(), ids=READ.keys())
def test_places_in_the_content_are_places_in_what_was_read(messages: list[dict[str, Any]]) -> None:
    for message in [*messages, {"role": "user", "text": "first", "content": [{"content": "second", "text": "third"}]}]:
        content = content_text(message.get("content"))
        assert message_text(message)[0].startswith(content)


@pytest.mark.parametrize(
    "answer",
    [
        ANSWER,
        {"role": "assistant", "content": None, "refusal": "No."},
        {"role": "assistant", "content": None, "audio": {"id": "audio_1"}},
    ],
)
def test_an_earlier_turn_is_not_read_again(answer: dict[str, Any]) -> None:
    assert verdict("fine", [USER, answer, {"role": "user", "content": "thanks"}]) == ("allow", ())


def test_the_applications_own_words_are_not_read() -> None:
    assert verdict("fine", [{"role": "system", "content": BAD}]) == ("allow", ())


@pytest.mark.parametrize(
    "part",
    [
        {"type": "image_url", "image_url": {"url": "x"}},
        {"type": "image_url", "image_url": {"url": "x"}, "text": "", "input": ""},
        {"type": "image", "input": None},
        {"type": "input_audio"},
        {"type": "input_image", "file_id": "f-1", "text": ""},
        {"type": "image", "text": "hi", "url": "http://x"},
        {"type": "image", "text": "hi", "b64": "aGk="},
        {"type": "input_file", "text": "", "file_data": "aGk="},
        {"type": "input_file", "text": "", "file_url": "http://x"},
        {"type": "text", "text": "hi", "parts": [{"text": BAD}]},
        {"type": "text", "text": "hi", "tool_calls": [{"function": {"arguments": BAD}}]},
        {"type": "tool_result", "content": [{"text": "hi", "rows": [{"a": BAD}]}]},
        {"type": "tool_result", "output": {"text": "hi", "rows": [[BAD]]}},
    ],
)
def test_a_part_that_no_detector_reads_is_unscanned(part: dict[str, Any]) -> None:
    messages = [{"role": "user", "content": [part, {"type": "text", "text": "what is this?"}]}]
    assert verdict("fine", messages) == ("hold", (("words", UNSUPPORTED),))


def test_an_attachment_is_unscanned() -> None:
    messages = [{"role": "user", "content": "what is this?", "images": ["aGVsbG8="]}]
    assert verdict("fine", messages) == ("hold", (("words", UNSUPPORTED),))


UNKNOWN: list[dict[str, Any]] = [
    {"role": "user", "parts": [{"text": BAD}]},
    {"role": "user", "content": None, "parts": {"a": [[1, BAD]]}},
    {"role": "user", "content": "hi", "name": [BAD]},
    {"role": "user", "content": "hi", "input": {"a": BAD}},
    {"role": "user", "content": "hi", "image_url": "http://x"},
    {"role": "user", "content": "hi", "file_id": "f-1"},
    {"role": "assistant", "content": "hi", "reasoning_details": [{"type": "reasoning.text", "data": {"a": BAD}}]},
]


@pytest.mark.parametrize("message", UNKNOWN)
def test_text_in_a_field_that_is_not_known_is_unscanned(message: dict[str, Any]) -> None:
    assert verdict("fine", [message]) == ("hold", (("words", UNSUPPORTED),))
    assert message_text(message)[1]


def test_a_field_that_is_not_known_ends_no_turn() -> None:
    called = {"role": "assistant", "parts": [{"functionCall": {"args": {"a": "b"}}}]}
    assert verdict("fine", [USER, called, {"role": "user", "content": "go on"}]) == ("block", (("words", UNSUPPORTED),))


BESIDE: dict[str, dict[str, Any]] = {
    "OpenAI's answer": {
        "role": "assistant",
        "content": "hi",
        "refusal": None,
        "audio": None,
        "function_call": None,
        "tool_calls": [],
        "annotations": [{"type": "url_citation", "url_citation": {"url": "http://x", "title": "X", "start_index": 0}}],
    },
    "OpenAI's item": {
        "role": "assistant",
        "type": "message",
        "id": "msg_1",
        "status": "completed",
        "content": [
            {"type": "output_text", "text": "hi", "annotations": [{"type": "x"}], "logprobs": [{"token": "hi"}]}
        ],
    },
    "OpenAI's call": {
        "role": "assistant",
        "tool_calls": [{"id": "call_1", "type": "function", "function": {"name": "f", "arguments": "{}"}}],
    },
    "OpenAI's tool": {"role": "tool", "tool_call_id": "call_1", "name": "f", "content": "hi"},
    "Anthropic's parts": {
        "role": "user",
        "content": [
            {"type": "text", "text": "hi", "cache_control": {"type": "ephemeral"}, "citations": [{"cited_text": "hi"}]},
            {"type": "tool_use", "id": "toolu_1", "name": "f", "input": {"a": "b"}, "caller": {"type": "direct"}},
            {"type": "tool_result", "tool_use_id": "toolu_1", "content": [{"type": "text", "text": "hi"}]},
            {"type": "thinking", "thinking": "hm", "signature": "c2ln"},
        ],
    },
    "the application's": {
        "role": "user",
        "content": "hi",
        "name": "ann",
        "metadata": {"channel": "web", "tags": ["a"]},
    },
    "counts": {
        "role": "assistant",
        "content": "hi",
        "usage": {"tokens": 5},
        "timings": {"ms": [1, 2.5]},
        "empty": [{}],
    },
}


@pytest.mark.parametrize("message", BESIDE.values(), ids=BESIDE.keys())
def test_what_formats_put_beside_the_text_leaves_nothing_unscanned(message: dict[str, Any]) -> None:
    assert verdict("fine", [message]) == ("allow", ())


def test_what_was_found_beside_such_a_part_counts() -> None:
    messages = [{"role": "user", "content": [{"type": "image_url"}, {"type": "text", "text": BAD}]}]
    assert verdict("fine", messages) == ("block", (("words", UNSUPPORTED),))


def test_findings_are_bounded_and_the_rest_is_not_released() -> None:
    policy = parse_policy(POLICY_TEXT.replace("block", "redact"))
    now = time.time()
    output = "zork " * (MAX_FINDINGS + 500)
    (result,) = Engine(FakeGuard).run([Job(policy.canonical, texts_of(output, []), now, now + 60)], "cpu")
    (rule,) = result.rules
    assert len(rule.findings) == MAX_FINDINGS + 1
    assert (rule.findings[-1].category, rule.findings[-1].detail) == (TOO_MANY, "500 more")
    assert conclude(policy, output, result.rules, b"").verdict == "hold"


@pytest.mark.parametrize("output_first", [True, False])
def test_what_is_left_out_of_the_output_is_not_released_for_what_a_message_says(output_first: bool) -> None:
    policy = parse_policy(
        "name: p\nrules:\n  - {id: personal, detector: pii, on: [input, output], "
        "entities: {EMAIL_ADDRESS: redact, IBAN_CODE: hash}}\n"
    )
    now = time.time()
    output = " ".join(f"u{number}@acme.com" for number in range(MAX_FINDINGS + 200))
    message = "Pay to DE89370400440532013000. " + "Or write to me@acme.com. " * MAX_FINDINGS
    texts = [Text("output", output), Text("messages.0", message)]
    job = Job(policy.canonical, tuple(texts if output_first else texts[::-1]), now, now + 60)
    (result,) = Engine(FakeGuard).run([job], "cpu")
    assert [finding.target for finding in result.rules[0].findings[MAX_FINDINGS:]] == ["output", "messages.0"]
    assert conclude(policy, output, result.rules, b"").verdict == "hold"


@pytest.mark.parametrize(
    "messages",
    [[{"role": "system", "content": "be kind"}], [{"role": "user", "content": ""}], [{"role": "user"}]],
    ids=["only the application's", "empty", "no content"],
)
def test_nothing_to_screen_is_refused(api: ApiClient, messages: list[dict[str, Any]]) -> None:
    response = api.post("/v1/checks", {"messages": messages})
    assert response.status_code == 400
    assert Check.objects.count() == 0


def test_a_long_key_serves_a_batch_too(api: ApiClient) -> None:
    body = {"checks": [{"output": "one"}]}
    answers = [api.post("/v1/checks/batch", body, Idempotency_Key="k" * 255) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [200, 200]
    assert answers[0].content == answers[1].content


def test_a_retry_does_not_spend_the_limit(api: ApiClient) -> None:
    Check.objects.all().delete()
    from webapp.accounts.models import Project

    Project.objects.update(requests_per_minute=1)
    codes = [api.post("/v1/checks", {"output": "x"}, Idempotency_Key="k").status_code for _ in range(3)]
    assert codes == [200, 200, 200]
