"""What bad input gets: a clear 4xx with a hint, or correct screening; never a 500, nothing stored, nothing quoted."""

from __future__ import annotations

import gzip
import json
import logging
import zlib
from collections.abc import Callable
from typing import Any

import pytest

from tests.interception.conftest import ApiClient
from webapp.interception.models import Check

SECRET = "zebra-umbrella"

MALFORMED: dict[str, Any] = {
    "not json": b"{" + SECRET.encode(),
    "empty body": b"",
    "invalid utf-8": b'{"output": "' + SECRET.encode() + b'\xff\xfe"}',
    "nul character": {"output": f"{SECRET}\0"},
    "nul in a key": {"output": "x", "metadata": {"a\0": 1}},
    "lone surrogate": b'{"output": "' + SECRET.encode() + b' \\ud83d"}',
    "lone surrogate in metadata": b'{"output": "x", "metadata": {"a": ["\\udc00"]}}',
    "output is a number": {"output": 7},
    "output is a list": {"output": [SECRET]},
    "a list": [SECRET],
    "a string": SECRET,
    "null": None,
    "unknown field": {"output": "x", SECRET: 1},
    "nothing to screen": {},
    "messages are strings": {"messages": [SECRET]},
    "a message without a role": {"messages": [{"content": SECRET}]},
    "deadline is zero": {"output": "x", "deadline_ms": 0},
    "deadline is true": {"output": "x", "deadline_ms": True},
    "deadline is a word": {"output": "x", "deadline_ms": SECRET},
    "conversation id too long": {"output": "x", "conversation_id": "c" * 201},
    "nested too deeply": b'{"output": "x", "metadata": ' + b'{"a":' * 100 + b"1" + b"}" * 100 + b"}",
    "nested beyond the parser": b'{"output": "x", "metadata": ' + b"[" * 200_000 + b"]" * 200_000 + b"}",
    "infinite number": b'{"output": "x", "metadata": {"a": 1e999}}',
    "a number of 5,000 digits": b'{"output": "x", "metadata": {"a": ' + b"9" * 5000 + b"}}",
    "not a number": b'{"output": "x", "metadata": {"a": NaN}}',
}


@pytest.fixture
def api(both_doors: ApiClient) -> ApiClient:
    return both_doors


@pytest.mark.parametrize("body", MALFORMED.values(), ids=MALFORMED.keys())
def test_a_malformed_body_is_refused_with_a_hint(api: ApiClient, body: Any, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        response = api.post("/v1/checks", body)
    assert response.status_code == 400, response.content
    problem = json.loads(response.content)
    assert response["Content-Type"] == "application/problem+json"
    assert problem["hint"]
    assert SECRET not in json.dumps([problem["detail"], problem["hint"]])
    assert SECRET not in caplog.text
    assert Check.objects.count() == 0


@pytest.mark.parametrize("path", ["/v1/checks", "/v1/checks/batch", "/openai/v1/moderations"])
@pytest.mark.parametrize(
    ("encoding", "compress"),
    [("gzip", gzip.compress), ("deflate", zlib.compress), ("br", lambda _: b"\x0b\x02\x80{}\x03")],
)
def test_a_compressed_body_is_told_not_to_be(
    api: ApiClient, path: str, encoding: str, compress: Callable[[bytes], bytes]
) -> None:
    response = api.post(path, compress(b'{"output": "x"}'), Content_Encoding=encoding)
    assert response.status_code == 400
    assert "compress" in response.content.decode()
    assert Check.objects.count() == 0


def test_a_body_over_a_mebibyte_is_refused_unread(api: ApiClient) -> None:
    response = api.post("/v1/checks", {"output": "x" * 10_000_000})
    assert response.status_code == 413
    assert "hint" in json.loads(response.content)


def test_a_text_of_nearly_a_mebibyte_is_screened_whole(api: ApiClient) -> None:
    answer = api.check("word " * 190_000 + "ann@example.com", deadline_ms=60_000)
    assert answer["verdict"] == "redact"
    assert answer["output"].endswith("[EMAIL_ADDRESS]")


@pytest.mark.parametrize(
    "text",
    ["a." * 10_000, "." * 20_000, "(" * 20_000, "1" * 20_000, "@" * 20_000, "https://" * 2_500, "=" * 20_000],
    ids=["a.", "dots", "brackets", "digits", "ats", "urls", "equals"],
)
def test_texts_made_to_make_regexes_backtrack_are_scanned_in_time(api: ApiClient, text: str) -> None:
    answer = api.check(text)
    assert answer["unscanned"] == []


@pytest.mark.parametrize(
    "text",
    ["👩‍👩‍👧‍👦" * 500, "‮evil‬ مرحبا שלום", "a\u0301\u0300" * 2_000, "﷽" * 500, "\u200b" * 5_000, "\r\n\t\x1b[0m"],
    ids=["emoji", "bidi", "marks", "ligature", "zero width", "controls"],
)
def test_unusual_text_comes_back_as_it_was(api: ApiClient, text: str) -> None:
    answer = api.check(text, messages=[{"role": "user", "content": text}])
    assert (answer["verdict"], answer["output"], answer["unscanned"]) == ("allow", text, [])


@pytest.mark.parametrize("path", ["/v1/checks/chk_" + "0" * 32, "/v1/checks/chk_x", "/v1/checks/%00", "/v1/checks/é"])
def test_an_unknown_id_is_not_found(api: ApiClient, path: str) -> None:
    response = api.get(path)
    assert response.status_code == 404
    assert json.loads(response.content)["hint"]


@pytest.mark.parametrize(("method", "path"), [("get", "/v1/nothing"), ("get", "/v1/checks"), ("get", "/openai/v1/x")])
def test_an_unknown_address_answers_in_json(api: ApiClient, method: str, path: str) -> None:
    response = getattr(api, method)(path)
    assert response.status_code in (404, 405)
    assert "error" in json.loads(response.content) or "hint" in json.loads(response.content)


@pytest.mark.parametrize("prefix", ["/v1/", "/openai/v1/"])
def test_a_method_that_is_none_of_an_address_is_told_those_that_are(api: ApiClient, prefix: str) -> None:
    operations = json.loads(api.get(f"{prefix}openapi.json").content)["paths"]
    assert operations
    for path, methods in operations.items():
        taken = {method.upper() for method in methods}
        for method in {"GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS"} - taken:
            response = api.ask(method, path.replace("{", "").replace("}", ""))
            assert response.status_code == 405, (method, path)
            assert set(response["Allow"].split(", ")) == taken, (method, path)


def test_the_page_of_the_docs_tells_its_methods_in_a_problem(api: ApiClient) -> None:
    response = api.ask("OPTIONS", "/v1/docs")
    assert (response.status_code, response["Allow"]) == (405, "GET, HEAD")
    assert json.loads(response.content) == {
        "type": "about:blank",
        "title": "Method not allowed",
        "status": 405,
        "detail": "There is nothing here.",
        "hint": "See /v1/docs for the API's addresses.",
    }


@pytest.mark.parametrize("key", ["", "k" * 256])
def test_an_idempotency_key_of_no_use_is_refused(api: ApiClient, key: str) -> None:
    assert api.post("/v1/checks", {"output": "x"}, Idempotency_Key=key).status_code == 400
