"""Read the forms of the item page."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass

from django.http import QueryDict
from django.utils.translation import gettext
from django.utils.translation import gettext as _

from review.drafts import Draft
from review.errors import InvalidAnswer
from review.quoting import quoted_spans, read_quotes
from review.services import Answer
from review.services.exposure import Effort
from review.severity import CRITICAL
from review.spans import MarkedSpan, read_spans

UNSURE = "unsure"
_KEPT = {"keep": True, "drop": False}
_LABEL = {"yes": True, "no": False}
_MAX_COUNT = 2**31 - 1


@dataclass(frozen=True, slots=True)
class Posted:
    """A submission: the answer, and what fences it."""

    answer: Answer
    lease_token: uuid.UUID
    item_version: int
    idempotency_key: uuid.UUID


def read_submission(post: QueryDict, ids: Mapping[int, int], output: str | None) -> Posted:
    """Return the submission in a form; `ids` are those of the check's findings by number, `output` is the check's.

    Raises InvalidAnswer when a field is missing or is not what it should be.
    """
    choice = post.get("outcome", "")
    if not choice:
        raise InvalidAnswer(gettext("Choose what happens to the output first."))
    try:
        return Posted(
            answer=Answer(
                outcome="" if choice == UNSURE else choice,
                findings={ids[number]: kept for number, kept in read_findings(post).items()},
                spans=[*read_spans(post.get("spans", ""), ids), *quoted_spans(read_quotes(post), output)],
                labels=_labels(post),
                rubric=_rubric(post),
                snippets=post.getlist("snippet"),
                reasons=post.getlist("reason"),
                note=post.get("note", "").strip(),
                statement=post.get("statement", ""),
                correction=post.get("correction"),
                preference=post.get("preference", ""),
                active_ms=_count(post.get("active_ms")),
                keystrokes=_count(post.get("keystrokes")),
                seen_ms=_count(post.get("seen_ms")),
                gravest=_gravest(post),
            ),
            lease_token=uuid.UUID(post.get("token", "")),
            item_version=int(post.get("version", "")),
            idempotency_key=uuid.UUID(post.get("submission", "")),
        )
    except KeyError:
        raise InvalidAnswer(gettext("One of the findings does not belong to this item.")) from None
    except ValueError:
        raise InvalidAnswer(gettext("The form was incomplete. Reload the page and submit again.")) from None


def read_effort(post: QueryDict) -> Effort:
    """Return what a script counted of the time before an item."""
    return Effort(_count(post.get("active_ms")), _count(post.get("seen_ms")), _gravest(post))


def _gravest(post: QueryDict) -> int:
    return min(_count(post.get("gravest")) or 0, CRITICAL)


def read_token(post: QueryDict) -> uuid.UUID:
    """Return the lease token in a form; raise InvalidAnswer when there is none."""
    try:
        return uuid.UUID(post.get("token", ""))
    except ValueError:
        raise InvalidAnswer(gettext("The form was incomplete. Reload the page and try again.")) from None


def read_ask(post: QueryDict) -> uuid.UUID | None:
    """Return who was chosen to be asked, if anybody; raise InvalidAnswer when that is no id."""
    asked = post.get("ask", "")
    try:
        return uuid.UUID(asked) if asked else None
    except ValueError:
        raise InvalidAnswer(_("Choose somebody of the list to ask.")) from None


def read_draft(post: QueryDict, ids: Mapping[int, int], *, error: str) -> Draft:
    """Return what can be shown again of a refused submission; `ids` as for `read_submission`."""
    try:
        findings = read_findings(post)
    except ValueError:
        findings = {}
    try:
        rubric = _rubric(post)
    except ValueError:
        rubric = {}
    try:
        spans: list[MarkedSpan] = read_spans(post.get("spans", ""), ids)
    except (ValueError, KeyError):
        spans = []
    return Draft(
        outcome=post.get("outcome", ""),
        note=post.get("note", ""),
        correction=post.get("correction"),
        preference=post.get("preference", ""),
        findings={ids[number]: kept for number, kept in findings.items() if number in ids},
        spans=spans,
        quotes=read_quotes(post),
        labels=_labels(post),
        rubric=rubric,
        snippets=post.getlist("snippet"),
        reasons=post.getlist("reason"),
        statement=post.get("statement", ""),
        error=error,
    )


def read_findings(post: QueryDict) -> dict[int, bool]:
    """Return the judged findings by number; raise ValueError for what is no number."""
    prefix = "finding-"
    return {
        int(name.removeprefix(prefix)): _KEPT[value]
        for name, value in post.items()
        if name.startswith(prefix) and value in _KEPT
    }


def _labels(post: QueryDict) -> dict[str, bool]:
    prefix = "label-"
    return {
        name.removeprefix(prefix): _LABEL[value]
        for name, value in post.items()
        if name.startswith(prefix) and value in _LABEL
    }


def _rubric(post: QueryDict) -> dict[str, int]:
    prefix = "rubric-"
    given = {name.removeprefix(prefix): str(value) for name, value in post.items() if name.startswith(prefix)}
    return {name: int(value) for name, value in given.items() if value}


def _count(text: str | None) -> int | None:
    return min(int(text), _MAX_COUNT) if text and text.isascii() and text.isdigit() else None
