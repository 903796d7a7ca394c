"""`/v1/checks/{check_id}/appeals` and `/v1/appeals/{appeal_id}`: contest a decision, and ask what became of it."""

from __future__ import annotations

import uuid
from typing import Annotated, Any, Literal

from django.db.models import QuerySet
from django.http import HttpResponse
from ninja import Router
from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from review.errors import NotContestable, TooManyAppeals
from review.models import Appeal
from review.services.appeals import AppealRequest, make_appeal
from webapp.accounts.models import Project
from webapp.ids import parse_public_id
from webapp.interception.api import ERRORS, IDEMPOTENCY
from webapp.interception.auth import ApiRequest, spend
from webapp.interception.doors import checked_key, conflict, respond
from webapp.interception.models import Check
from webapp.interception.problems import Problem
from webapp.interception.schemas import Name
from webapp.interception.selectors import find_check
from webapp.interception.storing import IdempotencyConflict

MAX_REASON = 4000
router = Router()


class NewAppeal(BaseModel):
    model_config = ConfigDict(extra="forbid")

    reason: Annotated[
        str,
        StringConstraints(strip_whitespace=True, min_length=1, max_length=MAX_REASON),
        Field(description="Why the decision is wrong, for the person who looks at it again."),
    ]
    end_user: Annotated[
        Name, Field(description="Your reference of the person who contests it; empty: the application does.")
    ] = ""


class ContestedAnswer(BaseModel):
    outcome: Literal["released", "redacted", "replaced", "blocked", "held"]
    by: Literal["machine", "person"]


class AppealAnswer(BaseModel):
    """`state` is pending until the new decision holds; then `GET /v1/checks/{id}` says what goes out."""

    id: str
    check: str
    state: Literal["pending", "upheld", "reversed"]
    by: Literal["application", "end_user"]
    contested: ContestedAnswer
    created_at: str
    decided_at: str | None


class AppealsAnswer(BaseModel):
    appeals: list[AppealAnswer]


@router.post(
    "/checks/{check_id}/appeals",
    response={200: AppealAnswer, 201: AppealAnswer, **ERRORS},
    summary="Contest a decision",
    openapi_extra=IDEMPOTENCY,
)
def create_appeal(request: ApiRequest, check_id: str, wanted: NewAppeal) -> HttpResponse:
    """Put a check before a person who had nothing to do with what was decided of it, with the reason given.

    What was decided holds until then. A decision is contested once, and what an appeal decides is final. A retry with
    the same `Idempotency-Key` gets the stored appeal.
    """
    check = _find_check(request.auth.project, check_id)
    key = checked_key(request.headers.get("Idempotency-Key"))
    spend(request.auth.project)
    asked = AppealRequest(reason=wanted.reason, end_user=wanted.end_user, idempotency_key=key)
    try:
        appeal, new = make_appeal(check=check, application=request.auth, wanted=asked)
    except IdempotencyConflict:
        raise conflict() from None
    except NotContestable as refused:
        hint = "Ask GET /v1/checks/{id} what holds, and GET /v1/checks/{id}/appeals what was contested."
        raise Problem(409, str(refused), hint) from None
    except TooManyAppeals as refused:
        hint = "Each appeal takes a person's time. Try again after Retry-After seconds."
        raise Problem(429, str(refused), hint, retry_after=refused.retry_after) from None
    return respond(_answer(appeal), 201 if new else 200)


@router.get(
    "/checks/{check_id}/appeals", response={200: AppealsAnswer, **ERRORS}, summary="Ask what was contested of a check"
)
def list_appeals(request: ApiRequest, check_id: str) -> HttpResponse:
    """Return the appeals against what was decided of a check, newest first."""
    check = _find_check(request.auth.project, check_id)
    appeals = _appeals(request.auth.project).filter(checked=check).order_by("-created_at", "-id")
    return respond(AppealsAnswer(appeals=[_answer(appeal) for appeal in appeals]))


@router.get("/appeals/{appeal_id}", response={200: AppealAnswer, **ERRORS}, summary="Ask for an appeal")
def read_appeal(request: ApiRequest, appeal_id: str) -> HttpResponse:
    """Return how an appeal stands now."""
    key = parse_public_id("apl", appeal_id)
    appeal = _appeals(request.auth.project).filter(pk=key).first() if key else None
    if appeal is None:
        raise Problem(404, "This project has no appeal with that id.", "Ids begin with apl_; use a key of its project.")
    return respond(_answer(appeal))


def _find_check(project: Project, check_id: str) -> Check:
    key: uuid.UUID | None = parse_public_id("chk", check_id)
    check = find_check(project, key) if key else None
    if check is None:
        raise Problem(404, "This project has no check with that id.", "Ids begin with chk_; use a key of its project.")
    return check


def _appeals(project: Project) -> QuerySet[Appeal]:
    return Appeal.objects.filter(project=project).select_related("checked", "decision")


def _answer(appeal: Appeal) -> AppealAnswer:
    state = appeal.state
    decided = appeal.decision if state != "pending" else None
    fields: dict[str, Any] = {
        "id": appeal.public_id,
        "check": appeal.checked.public_id,
        "state": state,
        "by": appeal.by,
        "contested": {"outcome": appeal.contested_outcome, "by": "person" if appeal.contested_id else "machine"},
        "created_at": appeal.created_at.isoformat(),
        "decided_at": decided.created_at.isoformat() if decided else None,
    }
    return AppealAnswer.model_validate(fields)
