"""`json_schema`: the text is JSON of the expected shape."""

from __future__ import annotations

import json
import re
from typing import Any, Literal, Never

from pydantic import Field, field_validator

from screening.detectors.base import Detector, Options
from screening.findings import Deadline, Hit

INVALID_JSON = "invalid_json"
SCHEMA_VIOLATION = "schema_violation"

#: Nesting that a document may have; the validator needs several Python frames a level.
MAX_DEPTH = 64
#: Violations reported for one text.
MAX_VIOLATIONS = 20

# Lines that open and close a code fence. No repeat here is tried twice: a long text is read in linear time.
_OPENS = re.compile(r"[ \t]*(`{3,}+|~{3,}+)[ \t]*+(?:json[c5]?[ \t]*+)?\r?", re.IGNORECASE)
_CLOSES = re.compile(r"[ \t]*(`{3,}+|~{3,}+)[ \t]*+\r?")


class JsonSchemaOptions(Options):
    """`schema`: a JSON Schema (2020-12 unless it names another draft). `extract`: `fenced` also takes a code fence."""

    json_schema: dict[str, Any] = Field(alias="schema")
    extract: Literal["whole", "fenced"] = "whole"

    @field_validator("json_schema")
    @classmethod
    def _valid(cls, schema: dict[str, Any]) -> dict[str, Any]:
        from screening.detectors.json_schema_rules import check_schema

        check_schema(schema)
        return schema


class JsonSchema(Detector):
    name = "json_schema"
    labels = frozenset({INVALID_JSON, SCHEMA_VIOLATION})
    options_type = JsonSchemaOptions

    def __init__(self, options: JsonSchemaOptions) -> None:
        from screening.detectors.json_schema_rules import Rules

        self.options = options
        self._rules = Rules(options.json_schema)

    def detect(self, text: str, deadline: Deadline) -> list[Hit]:
        """Return a hit on the text as a whole for each violation, its detail `path: keyword`; none when it conforms.

        The path names properties that the schema declares and writes `*` for any other, which are the text's words.
        """
        deadline.check()
        if self.options.extract == "fenced":
            text = _unfence(text)
        try:
            document = _parse(text)
        except _NotJson as error:
            return [Hit(INVALID_JSON, 1.0, detail=str(error))]
        violations = self._rules.violations(document, deadline, MAX_VIOLATIONS)
        return [Hit(SCHEMA_VIOLATION, 1.0, detail=violation) for violation in violations]


class _NotJson(Exception):
    """Why the text is not JSON, without its words."""


def _unfence(text: str) -> str:
    """Return what is inside the only code fence, or the text when there is no fence or more than one."""
    lines = text.split("\n")
    last = {found[1]: number for number, line in enumerate(lines) if (found := _CLOSES.fullmatch(line))}
    fences: list[str] = []
    mark, first = "", 0
    for number, line in enumerate(lines):
        if mark:
            if (found := _CLOSES.fullmatch(line)) and found[1] == mark:
                fences.append("\n".join(lines[first:number]).removesuffix("\r"))
                mark = ""
        elif (found := _OPENS.fullmatch(line)) and last.get(found[1], 0) > number:
            mark, first = found[1], number + 1
    return fences[0] if len(fences) == 1 else text


def _parse(text: str) -> Any:
    if _depth_exceeds(text, MAX_DEPTH):
        raise _NotJson(f"nested deeper than {MAX_DEPTH}")
    try:
        return json.loads(text, parse_constant=_refuse_constant)
    except json.JSONDecodeError as error:
        raise _NotJson(f"line {error.lineno}, column {error.colno}") from None
    except (ValueError, RecursionError):
        # ValueError: an integer with more digits than Python reads, or NaN and Infinity, which are not JSON.
        raise _NotJson("a number that JSON does not have or that is too long") from None


def _refuse_constant(_name: str) -> Never:
    raise ValueError


_STRUCTURE = re.compile(r'"(?:[^"\\]|\\.)*+(?:"|\\?\Z)|[\[{]|[\]}]', re.S)


def _depth_exceeds(text: str, limit: int) -> bool:
    depth = 0
    for token in _STRUCTURE.finditer(text):
        if token[0] in "[{":
            depth += 1
            if depth > limit:
                return True
        elif token[0] in "]}":
            depth -= 1
    return False
