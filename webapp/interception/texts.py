"""Which texts of a request are scanned: the output, and the messages of the newest turn."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from screening.findings import OUTPUT, Text

#: Roles that the application itself speaks in.
_TRUSTED = ("system", "developer")


def texts_of(output: str | None, messages: list[dict[str, Any]]) -> tuple[Text, ...]:
    """Return the output and the messages since the assistant's last answer, which earlier checks have not seen.

    Tool calls belong to the turn, with their arguments as text. System and developer messages are the application's
    own and are not scanned. A message with parts that no detector reads (images, audio) gives a Text that is
    `partial`, so that no rule passes it.
    """
    texts = [] if output is None else [Text(OUTPUT, output)]
    return (*texts, *_newest_turn(messages))


def _newest_turn(messages: list[dict[str, Any]]) -> list[Text]:
    turn: list[Text] = []
    asked = False
    for index in range(len(messages) - 1, -1, -1):
        message = messages[index]
        if message["role"] == "assistant" and asked and _read(message.get("content"))[0]:
            break  # an answer, and what it answered: the turn before
        asked = asked or message["role"] not in (*_TRUSTED, "assistant")
        if message["role"] not in _TRUSTED:
            text, partial = _read(message.get("content"))
            text = "\n".join(part for part in (text, *_arguments(message)) if part)
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
    """Yield the texts in a string, a part or a list of parts, at any depth; None for a part without text."""
    if isinstance(content, str):
        yield content
    elif isinstance(content, list):
        for part in content:
            yield from _parts(part)
    elif isinstance(content, dict):
        inner = content.get("text", content.get("content"))
        if isinstance(inner, str | list):
            yield from _parts(inner)
        else:
            yield None


def _arguments(message: dict[str, Any]) -> Iterator[str]:
    """Yield the arguments of a message's tool calls, as the model wrote them."""
    calls = message.get("tool_calls")
    for call in calls if isinstance(calls, list) else []:
        function = call.get("function") if isinstance(call, dict) else None
        arguments = function.get("arguments") if isinstance(function, dict) else None
        if isinstance(arguments, str):
            yield arguments
