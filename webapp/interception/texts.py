"""Which texts of a request are scanned: the output, and the messages of the newest turn."""

from __future__ import annotations

from typing import Any

from screening.findings import OUTPUT, Text

#: Roles that the application itself speaks in.
_TRUSTED = ("system", "developer")


def texts_of(output: str | None, messages: list[dict[str, Any]]) -> tuple[Text, ...]:
    """Return the output and the messages since the assistant last spoke, which earlier checks have not seen.

    System and developer messages are the application's own and are not scanned.
    """
    texts = [] if output is None else [Text(OUTPUT, output)]
    return (*texts, *_newest_turn(messages))


def _newest_turn(messages: list[dict[str, Any]]) -> list[Text]:
    turn: list[Text] = []
    for index in range(len(messages) - 1, -1, -1):
        role = messages[index]["role"]
        if role == "assistant" and turn:
            break
        if role != "assistant" and role not in _TRUSTED and (text := content_text(messages[index].get("content"))):
            turn.append(Text(f"messages.{index}", text))
    return turn[::-1]


def content_text(content: object) -> str:
    """Return the text of a message's content, a string or a list of parts; parts that are not text are left out."""
    if isinstance(content, str):
        return content
    if isinstance(content, list):
        parts = (part.get("text") for part in content if isinstance(part, dict))
        return "\n".join(part for part in parts if isinstance(part, str))
    return ""
