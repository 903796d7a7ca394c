"""JSON schema: shape is checked offline, in bounded time, and the text's words stay out of details."""

from __future__ import annotations

import json
import tracemalloc
from typing import Any

import pytest
from pydantic import ValidationError

from screening.detectors.json_schema import JsonSchema, JsonSchemaOptions
from screening.findings import Deadline, DeadlineExceeded

ORDER: dict[str, Any] = {
    "type": "object",
    "properties": {
        "id": {"type": "integer"},
        "code": {"type": "string", "pattern": "^(a+)+$"},
        "items": {"type": "array", "items": {"$ref": "#/$defs/item"}, "uniqueItems": True},
        "labels": {"type": "object", "patternProperties": {"^x-": {"type": "string"}}, "additionalProperties": False},
    },
    "required": ["id"],
    "additionalProperties": {"type": "number"},
    "$defs": {"item": {"type": "object", "required": ["price"], "properties": {"price": {"minimum": 0}}}},
}


def details(text: str, schema: dict[str, Any] = ORDER, extract: str = "whole") -> list[str]:
    options = JsonSchemaOptions.model_validate({"schema": schema, "extract": extract})
    return [f"{hit.category} {hit.detail}" for hit in JsonSchema(options).detect(text, Deadline())]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('{"id": 1}', []),
        ('{"id": 1, "items": [{"price": 1}, {"price": 2}], "labels": {"x-a": "b"}}', []),
        ('{"id": "1"}', ["schema_violation $.id: type"]),
        ("{}", ["schema_violation $: required id"]),
        ('{"id": 1, "items": [{"price": -1}]}', ["schema_violation $.items[0].price: minimum"]),
        ('{"id": 1, "items": [{"price": 1}, {}]}', ["schema_violation $.items[1]: required price"]),
        ('{"id": 1, "items": [{"price": 1}, {"price": 1.0}]}', ["schema_violation $.items: uniqueItems"]),
        ('{"id": 1, "labels": {"y": "b"}}', ["schema_violation $.labels: additionalProperties"]),
        ('{"id": 1, "labels": {"x-a": 2}}', ["schema_violation $.labels.*: type"]),
        ('{"id": 1, "a secret name": "x"}', ["schema_violation $.*: type"]),
        ('{"id": 1, "code": "\\ud800"}', ["schema_violation $.code: pattern"]),
        ("nothing like it", ["invalid_json line 1, column 1"]),
        ('{"id": 1}\n}', ["invalid_json line 2, column 1"]),
        ('{"id": NaN}', ["invalid_json a number that JSON does not have or that is too long"]),
        ('{"id": ' + "9" * 5000 + "}", ["invalid_json a number that JSON does not have or that is too long"]),
        ("[" * 200_000, ["invalid_json nested deeper than 64"]),
        ('{"a":' * 100 + "1" + "}" * 100, ["invalid_json nested deeper than 64"]),
        ("", ["invalid_json line 1, column 1"]),
    ],
)  # fmt: skip
def test_violations_name_the_place_and_never_the_value(text: str, expected: list[str]) -> None:
    assert details(text) == expected


@pytest.mark.parametrize("fence", ['```json\n{"id": 1}\n```', 'Here:\n~~~\n{"id": 1}\n~~~\nDone.', '{"id": 1}'])
def test_a_code_fence_is_taken_off_when_asked(fence: str) -> None:
    assert details(fence, extract="fenced") == []


@pytest.mark.parametrize(
    "fence",
    [
        '```json\r\n{"id": 1}\r\n```\r\n',
        '```\n{"id": 1}\n```\nand one that never ends:\n~~~json\n{',
        'As ````\nsays:\n```JSON  \n\n{"id": 1}\n  ```  ',
        '````\n{"id": 1}\n````',
    ],
)
def test_a_fence_is_told_from_what_only_looks_like_one(fence: str) -> None:
    assert details(fence, extract="fenced") == []


def test_two_fences_are_not_guessed_between() -> None:
    assert details('```\n{"id": 1}\n```\n```\n{"id": 2}\n```', extract="fenced")[0].startswith("invalid_json")


@pytest.mark.parametrize(
    ("schema", "hint"),
    [
        ({"type": "objekt"}, "schema.type"),
        ({"$ref": "https://schemas.example/order"}, "nothing is fetched"),
        ({"$ref": "#/$defs/missing"}, "nothing is fetched"),
        ({"$ref": "#"}, "without end"),
        ({"pattern": "(?=a)"}, "lookahead"),
        ({"patternProperties": {r"(a)\1": True}}, "backreferences"),
        ({"patternProperties": {"a": True}, "unevaluatedProperties": False}, "additionalProperties"),
    ],
)
def test_schemas_that_cannot_be_checked_are_refused(schema: dict[str, Any], hint: str) -> None:
    with pytest.raises(ValidationError, match=hint.replace("$", r"\$")):
        JsonSchemaOptions.model_validate({"schema": schema})


def test_a_backtracking_expression_takes_linear_time() -> None:
    text = json.dumps({"id": 1, "code": "a" * 100_000 + "b"})
    assert details(text) == ["schema_violation $.code: pattern"]


@pytest.mark.parametrize("piece", ["```json\n", "~~~\n```\n", "``` ", "```json ", "`", '"\\\\', '\\"', '"'])
def test_hostile_texts_take_linear_time(piece: str) -> None:
    for text in (piece * 200_000, '"' + piece * 200_000, "```" + piece * 200_000 + "x"):
        assert details(text, extract="fenced")[0].startswith("invalid_json")


def test_unique_items_take_linear_time() -> None:
    text = json.dumps({"id": 1, "items": [{"price": number} for number in range(3_000)]})
    assert details(text) == []


INTEGERS: dict[str, Any] = {"type": "array", "items": {"type": "integer"}}


@pytest.mark.parametrize(
    "schema",
    [
        {"allOf": [INTEGERS], "unevaluatedItems": False},
        {"items": {"type": "integer"}, "unevaluatedItems": False},
        {"prefixItems": [{"type": "integer"}], "contains": {"type": "integer"}, "unevaluatedItems": False},
        {"$schema": "https://json-schema.org/draft/2019-09/schema", "allOf": [INTEGERS], "unevaluatedItems": False},
    ],
)
def test_unevaluated_items_are_looked_for_in_time_and_never_passed(schema: dict[str, Any]) -> None:
    detector = JsonSchema(JsonSchemaOptions.model_validate({"schema": schema}))
    assert detector.detect(json.dumps([1] * 200), Deadline()) == []
    many = detector.detect(json.dumps([1] * 40_000), Deadline())
    assert [hit.detail for hit in many] == ["$: unevaluatedItems"]


@pytest.mark.parametrize(
    ("schema", "document"),
    [
        ({"patternProperties": {f"^x{n}$": True for n in range(300)}}, {str(n): 1 for n in range(60_000)}),
        (
            {"patternProperties": {f"^x{n}$": True for n in range(300)}, "additionalProperties": {}},
            {str(n): 1 for n in range(60_000)},
        ),
        ({"uniqueItems": True}, [[n] for n in range(100_000)]),
        ({"allOf": [{"items": {}, "contains": {"type": "integer"}}] * 100}, [1] * 100_000),
    ],
)
def test_the_deadline_holds_inside_a_keyword(schema: dict[str, Any], document: Any) -> None:
    detector = JsonSchema(JsonSchemaOptions.model_validate({"schema": schema}))
    text = json.dumps(document)
    deadline = Deadline.after_ms(200)
    with pytest.raises(DeadlineExceeded):
        detector.detect(text, deadline)
    assert deadline.remaining() > -0.5


@pytest.mark.parametrize("keyword", ["anyOf", "oneOf"])
def test_a_text_that_conforms_to_no_branch_is_not_kept_for_each_of_them(keyword: str) -> None:
    detector = JsonSchema(JsonSchemaOptions.model_validate({"schema": {keyword: [{"type": "string"}] * 200}}))
    text = json.dumps(["a" * 100_000])
    tracemalloc.start()
    try:
        assert [hit.detail for hit in detector.detect(text, Deadline())] == [f"$: {keyword}"]
        assert tracemalloc.get_traced_memory()[1] < 4 << 20
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize(
    ("document", "expected"),
    [("1", []), ('"a"', ["schema_violation $: oneOf"]), ("true", ["schema_violation $: oneOf"]), ('"abc"', [])],
)
def test_exactly_one_branch_may_hold(document: str, expected: list[str]) -> None:
    branches = [{"type": "integer"}, {"type": "string"}, {"type": "string", "maxLength": 2}]
    assert details(document, {"oneOf": branches}) == expected
    assert details(document, {"anyOf": branches}) == ([] if document != "true" else ["schema_violation $: anyOf"])


def test_the_deadline_holds_inside_the_validation() -> None:
    branching: dict[str, Any] = {"anyOf": [{"items": {"$ref": "#"}, "type": "array"}] * 4}
    detector = JsonSchema(JsonSchemaOptions.model_validate({"schema": branching}))
    with pytest.raises(DeadlineExceeded):
        detector.detect("[" * 40 + "1" + "]" * 40, Deadline.after_ms(300))
