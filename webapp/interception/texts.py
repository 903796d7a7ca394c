"""Which texts of a request are scanned: the output, and the messages of the newest turn."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from screening.findings import OUTPUT, Text

#: Roles that the application itself speaks in.
_TRUSTED = ("system", "developer")


def texts_of(output: str | None, messages: list[dict[str, Any]]) -> tuple[Text, ...]:
    """Return the output and the messages since the assistant's last answer, which earlier checks have not seen.

    Tool calls belong to the turn, whatever is said beside them, with their arguments as text. System and developer
    messages are the application's own and are not scanned. A message with parts that no detector reads (images, audio)
    gives a Text that is `partial`, so that no rule passes it.
    """
    texts = [] if output is None else [Text(OUTPUT, output)]
    return (*texts, *_newest_turn(messages))


def _newest_turn(messages: list[dict[str, Any]]) -> list[Text]:
    turn: list[Text] = []
    asked = False
    for index in range(len(messages) - 1, -1, -1):
        message = messages[index]
        said, partial = _read([message.get("content"), message.get("refusal")])
        calls = list(_calls(message))
        acts = calls or _has_call(message.get("content"))
        if message["role"] == "assistant" and asked and said and not acts:
            break  # an answer, and what it answered: the turn before
        asked = asked or message["role"] not in (*_TRUSTED, "assistant")
        if message["role"] not in _TRUSTED:
            text = "\n".join(part for part in (said, *map(_written, calls)) if part)
            if text or partial:
                turn.append(Text(f"messages.{index}", text, partial))
    return turn[::-1]


def content_text(content: object) -> str:
    """Return the text of a message's content, a string or a list of parts."""
    return _read(content)[0]


def _read(content: object) -> tuple[str, bool]:
    """Return the text of a message's content, and whether there are parts that it leaves out."""
    parts = list(_parts(content))
    return "\n".join(part for part in parts if part), None in parts


def _parts(content: object) -> Iterator[str | None]:
    """Yield the texts in a string, a part or a list of parts, at any depth, and what tools used by a part were given.

    None stands for a part without text.
    """
    if isinstance(content, str):
        yield content
    elif isinstance(content, list):
        for part in content:
            yield from _parts(part)
    elif isinstance(content, dict) and _has_call(content):
        yield _written(content["input"])
    elif isinstance(content, dict):
        inner = content.get("text", content.get("content", content.get("refusal")))
        if isinstance(inner, str | list):
            yield from _parts(inner)
        else:
            yield None


def _has_call(content: object) -> bool:
    """Return whether a part of a message, or one of its parts, uses a tool."""
    if isinstance(content, list):
        return any(_has_call(part) for part in content)
    return isinstance(content, dict) and "input" in content and not {"text", "content"} & content.keys()


def _calls(message: dict[str, Any]) -> Iterator[object]:
    """Yield what the calls in `tool_calls` and `function_call` were given; one of unknown form as it stands."""
    calls = message.get("tool_calls") or []
    for call in calls if isinstance(calls, list) else [calls]:
        yield _given(call.get("function") or call.get("custom") or call) if isinstance(call, dict) else call
    if message.get("function_call"):
        yield _given(message["function_call"])


def _given(function: object) -> object:
    if not isinstance(function, dict):
        return function
    return function.get("arguments", function.get("input", function))


def _written(given: object) -> str:
    """Return what a call was given as the model wrote it, or as it would have."""
    return given if isinstance(given, str) else json.dumps(given, ensure_ascii=False)
