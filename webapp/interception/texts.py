"""Which texts of a request are scanned: the output, and the messages of the newest turn."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from screening.findings import OUTPUT, Text

#: Roles that the application itself speaks in.
_TRUSTED = ("system", "developer")
#: Where a message or a part of one has its text, where a part has what a tool was given, and where what nobody reads.
#: The content comes first: exports have it alone, and places in it are places in what was read.
_TEXTS = ("content", "text", "refusal", "thinking", "reasoning", "reasoning_content", "output", "result")
_GIVEN = ("input", "arguments", "args")
_ATTACHED = (
    *("audio", "image", "images", "image_url", "input_audio", "video", "videos"),
    *("file", "files", "file_id", "file_data", "file_url", "attachments"),
)
_MEDIA = (*_ATTACHED, "url", "document", "source", "data")
#: Types of parts that are more than their text, wherever they have it.
_MEDIA_TYPES = (
    *("image", "image_url", "image_file", "input_image"),
    *("audio", "audio_url", "input_audio", "output_audio", "video", "video_url", "input_video"),
)
#: Where a message has its calls, which are read by their form.
_CALLS = ("tool_calls", "function_call")
#: What formats put beside the text for others than the model: notes on it, settings, counts, the application's own.
_BESIDE = (
    *("annotations", "citations", "cache_control", "caller", "logprobs", "usage", "metadata"),
    *("response_metadata", "usage_metadata", "providerMetadata", "providerOptions"),
)


def texts_of(output: str | None, messages: list[dict[str, Any]]) -> tuple[Text, ...]:
    """Return the output and the messages since the assistant's last answer, which earlier checks have not seen.

    Tool calls belong to the turn, whatever is said beside them, with their arguments as text. System and developer
    messages are the application's own and are not scanned. A message with parts that no detector reads (images, audio),
    or with text in a field that is not known, gives a Text that is `partial`, so that no rule passes it.
    """
    texts = [] if output is None else [Text(OUTPUT, output)]
    return (*texts, *_newest_turn(messages))


def _newest_turn(messages: list[dict[str, Any]]) -> list[Text]:
    turn: list[Text] = []
    asked = False
    for index in range(len(messages) - 1, -1, -1):
        message = messages[index]
        text, partial = _said(message)
        if message["role"] == "assistant" and asked and (text or partial) and not _acts(message):
            break  # an answer, and what it answered: the turn before
        # Not before: what is in a field that is not known may be a call, and what was asked belongs to its turn.
        partial = partial or _has_more(message, _CALLS)
        asked = asked or message["role"] not in (*_TRUSTED, "assistant")
        if message["role"] not in _TRUSTED and (text or partial):
            turn.append(Text(f"messages.{index}", text, partial))
    return turn[::-1]


def message_text(message: dict[str, Any]) -> tuple[str, bool]:
    """Return what is read of a message, places in which findings count, and whether there is more than that."""
    text, partial = _said(message)
    return text, partial or _has_more(message, _CALLS)


def _said(message: dict[str, Any]) -> tuple[str, bool]:
    """Return what is read of a message, and whether there are attachments or parts that are no text."""
    said, partial = _read([message.get(key) for key in _TEXTS])
    texts = (said, *map(_written, _calls(message)))
    return "\n".join(text for text in texts if text), partial or any(message.get(key) for key in _ATTACHED)


def content_text(content: object) -> str:
    """Return the text of a message's content, a string or a list of parts."""
    return _read(content)[0]


def _read(content: object) -> tuple[str, bool]:
    """Return the text of a message's content, and whether there are parts that it leaves out."""
    parts = list(_parts(content))
    return "\n".join(part for part in parts if part), None in parts


def _parts(content: object) -> Iterator[str | None]:
    """Yield the texts in a string, a part or a list of parts, at any depth, and what tools used by a part were given.

    None stands for what is no text.
    """
    if isinstance(content, str):
        yield content
    elif isinstance(content, list):
        for part in content:
            yield from _parts(part)
    elif isinstance(content, dict):
        texts, given = ([content[key] for key in keys if content.get(key) is not None] for keys in (_TEXTS, _GIVEN))
        yield from _parts(texts)
        yield from map(_written, given)
        if not (texts or given) or content.get("type") in _MEDIA_TYPES or any(content.get(key) for key in _MEDIA):
            yield None
    elif content is not None:
        yield _written(content)


def _has_more(content: object, read: tuple[str, ...] = _GIVEN) -> bool:
    """Return whether a message, a part or a list of parts has text in a list or object of a name that is not known.

    `read`: the names that are read beside those of texts. Strings of other names are ids, names and times.
    """
    if isinstance(content, list):
        return any(_has_more(part) for part in content)
    return isinstance(content, dict) and any(
        _has_more(value) if key in _TEXTS else not isinstance(value, str) and _has_text(value)
        for key, value in content.items()
        if key not in read and key not in _BESIDE
    )


def _has_text(value: object) -> bool:
    if isinstance(value, list | dict):
        return any(map(_has_text, value.values() if isinstance(value, dict) else value))
    return isinstance(value, str) and bool(value)


def _acts(message: dict[str, Any]) -> bool:
    return next(_calls(message), None) is not None or _has_call(message.get("content"))


def _has_call(content: object) -> bool:
    if isinstance(content, list):
        return any(_has_call(part) for part in content)
    return isinstance(content, dict) and any(content.get(key) is not None for key in _GIVEN)


def _calls(message: dict[str, Any]) -> Iterator[object]:
    """Yield what the calls in `tool_calls` and `function_call` were given; one of another form than OpenAI's whole."""
    calls = message.get("tool_calls") or []
    for call in calls if isinstance(calls, list) else [calls]:
        yield _given(call, "function", "arguments") or _given(call, "custom", "input") or call
    if called := message.get("function_call"):
        yield _given({"function": called}, "function", "arguments") or called


def _given(call: object, kind: str, name: str) -> object:
    """Return what stands under `name` in a call of that kind, where nothing else in it could have been given."""
    if not isinstance(call, dict) or not call.keys() <= {"id", "type", "index", kind}:
        return None
    function = call.get(kind)
    return function.get(name) if isinstance(function, dict) and function.keys() <= {"name", name} else None


def _written(given: object) -> str:
    """Return what a call was given as the model wrote it, or as it would have."""
    return given if isinstance(given, str) else json.dumps(given, ensure_ascii=False)
