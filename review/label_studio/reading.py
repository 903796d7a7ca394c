"""Read a file of Label Studio. It is good as a whole, or refused with the place of what is wrong, never quoting it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from review.errors import BadFile
from review.label_studio.labels import Labels, read_labels
from review.label_studio.splitting import split_tasks
from review.label_studio.tasks import CHECK_KEY, NO_MESSAGES, TEXT
from screening.sentences import say
from webapp.interception.bodies import parse_json
from webapp.interception.problems import Problem, require_size
from webapp.interception.schemas import CheckRequest

MAX_BYTES = 64 * 1024 * 1024
#: Nobody waits for the verdict: rules get what the API gives at the most.
DEADLINE_MS = 60_000


@dataclass(frozen=True, slots=True)
class Given:
    """A task: what is to be screened, and the labels that came with it. `number` counts from 1.

    `check`: what the task says is the public id of its check; "" when it was not exported from here.
    """

    number: int
    request: CheckRequest
    check: str
    labels: Labels

    @property
    def key(self) -> str:
        """Return the idempotency key: the same texts under the same policy are one check, however often they come."""
        asked = self.request.model_dump(mode="json", include={"policy", "output", "messages"})
        return f"label_studio:{hashlib.sha256(json.dumps(asked, sort_keys=True).encode()).hexdigest()}"


def read_tasks(raw: bytes, *, text_key: str = TEXT, policy: str | None = None) -> list[Given]:
    """Return the tasks of a file; `text_key` names the output in their data. Raises BadFile."""
    return [read_piece(number, piece, text_key, policy) for number, piece in enumerate(pieces_of(raw), start=1)]


def pieces_of(raw: bytes) -> Iterator[bytes]:
    """Yield the tasks of a file as they stand there. Raises BadFile."""
    if len(raw) > MAX_BYTES:
        raise BadFile(say("The file is larger than %(most)s MiB. Import it in parts.", most=MAX_BYTES // 1024 // 1024))
    yield from split_tasks(raw)


def read_piece(number: int, piece: bytes, text_key: str, policy: str | None) -> Given:
    """Return a task that stands so in a file. Raises BadFile."""
    try:
        task = parse_json(piece, say("Task %(number)s", number=number))
    except Problem as problem:
        raise BadFile(problem.detail) from None
    return read_task(number, task, text_key, policy)


def read_task(number: int, task: object, text_key: str, policy: str | None) -> Given:
    """Return a task of a file. Raises BadFile."""
    if not isinstance(task, dict):
        raise BadFile(say("Task %(number)s is not an object.", number=number))
    # A task without `data` is all data, as Label Studio reads it.
    data = task.get("data", task)
    text = data.get(text_key) if isinstance(data, dict) else None
    if not isinstance(text, str) or not text.strip():
        raise BadFile(
            say(
                'Task %(number)s has no text under that key of its data. Name the key of the text, as "text".',
                number=number,
            )
        )
    check = data.get(CHECK_KEY)
    check = check if isinstance(check, str) else ""
    return Given(
        number=number,
        request=_request(number, text, data, policy),
        check=check,
        labels=read_labels(task, text, own=bool(check)),
    )


def _request(number: int, text: str, data: Mapping[str, Any], policy: str | None) -> CheckRequest:
    messages = data.get("messages")
    asked = {
        "policy": policy,
        "output": text,
        "messages": [] if messages is None or messages == [NO_MESSAGES] else messages,
        "deadline_ms": DEADLINE_MS,
    }
    try:
        require_size(len(json.dumps(asked, ensure_ascii=False).encode()))
        return CheckRequest.model_validate(asked)
    except Problem:
        raise BadFile(say("Task %(number)s is larger than a check may be.", number=number)) from None
    except ValidationError as error:
        place = ".".join(str(part) for part in error.errors(include_input=False)[0]["loc"])
        raise BadFile(
            say(
                "Task %(number)s: `%(place)s` of its data is not of the form that the API takes.",
                number=number,
                place=place,
            )
        ) from None
