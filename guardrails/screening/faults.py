"""What pydantic finds wrong with a document, as sentences: its own words in English, ours in other languages."""

from __future__ import annotations

import re
from typing import Any

from screening.sentences import Sentence, say, sentence_of, to_say

#: By pydantic's kind of fault; the values are those of its context. Of other kinds its words are shown as they are.
_KINDS = {
    "missing": to_say("Field required"),
    "extra_forbidden": to_say("There is no such field here"),
    "string_type": to_say("This should be text"),
    "int_type": to_say("This should be a whole number"),
    "int_parsing": to_say("This should be a whole number"),
    "int_from_float": to_say("This should be a whole number"),
    "float_type": to_say("This should be a number"),
    "float_parsing": to_say("This should be a number"),
    "finite_number": to_say("This should be a number"),
    "bool_type": to_say("This should be true or false"),
    "bool_parsing": to_say("This should be true or false"),
    "dict_type": to_say("This should be a mapping"),
    "model_type": to_say("This should be a mapping"),
    "list_type": to_say("This should be a list"),
    "tuple_type": to_say("This should be a list"),
    "literal_error": to_say("This is none of the values that are known"),
    "greater_than_equal": to_say("This should be at least %(ge)s"),
    "less_than_equal": to_say("This should be at most %(le)s"),
    "string_pattern_mismatch": to_say("This does not have the form %(pattern)s"),
    "string_too_short": to_say("This is too short: at least %(min_length)s characters"),
    "string_too_long": to_say("This is too long: at most %(max_length)s characters"),
    "too_short": to_say("There are too few entries: at least %(min_length)s"),
    "too_long": to_say("There are too many entries: at most %(max_length)s"),
}
_QUOTED = re.compile(r"'([^']*)'")


def message_of(fault: Any) -> Sentence:
    """Return what is wrong; what a validator of ours raised is as it was raised."""
    context = fault.get("ctx", {})
    if fault["type"] == "value_error":
        return sentence_of(context["error"])
    return Sentence(fault["msg"], _KINDS.get(fault["type"], ""), context)


def expected_of(fault: Any) -> Sentence:
    """Return the hint of a `literal_error`: the values that are possible."""
    expected = fault["ctx"]["expected"]
    values = ", ".join(_QUOTED.findall(expected)) or expected
    return Sentence(f"one of {expected}", to_say("one of %(values)s"), {"values": values})


def add_field(fault: Any) -> Sentence:
    """Return the hint of a `missing` field."""
    return say("add `%(field)s:`", field=fault["loc"][-1])
