"""Two candidate outputs of one conversation. Each is a check of its own, so that nothing is compared unscreened."""

from __future__ import annotations

import uuid
from typing import Any

from webapp.accounts.models import Application
from webapp.ids import parse_public_id
from webapp.interception.models import Check, CheckContent, CheckState
from webapp.interception.problems import Problem
from webapp.interception.schemas import CheckRequest


def compared_check(application: Application, request: CheckRequest) -> Check | None:
    """Return the check that a request names to be compared with, None when it names none. Raises Problem 422."""
    if request.compare_with is None:
        return None
    key = parse_public_id("chk", request.compare_with)
    content = _content(application, key)
    if content is None and request.compare_with.startswith("#"):
        raise Problem(
            422,
            "There is nothing to compare with at that place of the batch.",
            "Name a check of the same batch that waits for its verdict, has an output and names no other itself: "
            "of three candidates, two name the first.",
        )
    if content is None:
        raise Problem(
            422,
            "There is nothing to compare with: this application has no concluded check with that id and an output.",
            "Check one candidate first, wait for its verdict, then send the other with `compare_with`.",
        )
    messages: list[dict[str, Any]] = [message.model_dump(mode="json") for message in request.messages]
    if request.output in (None, content.output) or content.messages != messages:
        raise Problem(
            422,
            "The two checks are no candidates of one answer.",
            "Send the same `messages` as with the other check, and another `output`.",
        )
    return content.checked


def _content(application: Application, key: uuid.UUID | None) -> CheckContent | None:
    if key is None:
        return None
    held = CheckContent.objects.select_related("checked").filter(checked=key, checked__application=application)
    return held.filter(checked__state=CheckState.CONCLUDED, output__isnull=False).first()
