"""`/v1`: screen an output, ask for a check."""

from __future__ import annotations

import hashlib
from typing import Any

from django.db import OperationalError
from django.http import HttpResponse
from pydantic import ValidationError

from webapp.accounts.models import Application
from webapp.ids import parse_public_id
from webapp.interception.auth import ApiRequest, spend
from webapp.interception.candidates import in_turn, named
from webapp.interception.doors import (
    accept,
    answer_check,
    checked_key,
    intake,
    make_api,
    malformed,
    respond,
    screen,
    stored,
    to_wait,
)
from webapp.interception.models import Check
from webapp.interception.problems import Problem, problem_of
from webapp.interception.rows import Intake
from webapp.interception.schemas import BatchAnswer, BatchRequest, CheckAnswer, CheckRequest, ProblemAnswer
from webapp.interception.selectors import answers, find_check

#: Checks of a batch that go to the workers in one message; each group starts its own deadline.
GROUP = 16

ERRORS = dict.fromkeys((400, 401, 404, 409, 413, 422, 429, 503), ProblemAnswer)
IDEMPOTENCY: dict[str, Any] = {
    "parameters": [{"in": "header", "name": "Idempotency-Key", "schema": {"type": "string", "maxLength": 255}}]
}

api = make_api(
    namespace="v1",
    title="Countersign",
    description="Screen what a language model is about to say, and ask what became of it.",
)


@api.post(
    "/checks",
    response={200: CheckAnswer, 202: CheckAnswer, **ERRORS},
    summary="Screen an output",
    openapi_extra=IDEMPOTENCY,
)
def create_check(request: ApiRequest, wanted: CheckRequest) -> HttpResponse:
    """Screen an output against a policy and answer with the verdict inside the deadline.

    `Prefer: respond-async` or `"wait": false` answers 202 with the id at once; ask `GET /v1/checks/{id}` later. A
    retry with the same `Idempotency-Key` gets the stored verdict.
    """
    return answer_check(request.auth, wanted, request.headers.get("Idempotency-Key"), request.headers.get("Prefer"))


@api.post(
    "/checks/batch",
    response={200: BatchAnswer, 202: BatchAnswer, **ERRORS},
    summary="Screen up to 256 outputs",
    openapi_extra=IDEMPOTENCY,
)
def create_batch(request: ApiRequest, batch: BatchRequest) -> HttpResponse:
    """Screen many outputs; one answer or problem each, in order. Deadlines start group by group, not all at once.

    `"wait": false` of one, or `Prefer: respond-async` for all, has it answered without a verdict, which
    `GET /v1/checks/{id}` gives later; while one has none, the batch is answered 202.

    `"compare_with": "#0"` names the first one of the batch: two candidates of one answer come in one request.
    """
    key, prefer = checked_key(request.headers.get("Idempotency-Key")), request.headers.get("Prefer")
    spend(request.auth.project, len(batch.checks))
    results: dict[int, CheckAnswer | ProblemAnswer] = {}
    away: list[OperationalError] = []
    for group in in_turn(batch.checks, GROUP):
        checks = [named(batch.checks, index, results) for index in group]
        keys = [_key_in_batch(key, index) for index in group]
        results.update(zip(group, _screen_group(request.auth, checks, keys, prefer, away), strict=True))
    pending = any(isinstance(one, CheckAnswer) and one.state == "pending" for one in results.values())
    answer = BatchAnswer(results=[results[index] for index in range(len(batch.checks))])
    return respond(answer, 202 if pending else 200)


@api.get("/checks/{check_id}", response={200: CheckAnswer, **ERRORS}, summary="Ask for a check")
def read_check(request: ApiRequest, check_id: str) -> HttpResponse:
    """Return a check as it stands now: the machine's verdict, or what a person decided, with who and when."""
    key = parse_public_id("chk", check_id)
    check = find_check(request.auth.project, key) if key else None
    if check is None:
        raise Problem(
            404, "This project has no check with that id.", "Ids begin with chk_; use the key of its project."
        )
    return respond(answers([check])[0])


def _screen_group(
    application: Application,
    group: list[dict[str, Any]],
    keys: list[str | None],
    prefer: str | None,
    away: list[OperationalError],
) -> list[CheckAnswer | ProblemAnswer]:
    """Return what became of each. `away`: how the database failed; those that come later would wait for it as long."""
    prepared = [_prepare(application, data, key, prefer, away) for data, key in zip(group, keys, strict=True)]
    screened = iter(_screen([item for item in prepared if isinstance(item, Intake)], away))
    outcomes = [next(screened) if isinstance(item, Intake) else item for item in prepared]
    return _answered(outcomes)


def _screen(fresh: list[Intake], away: list[OperationalError]) -> list[Check | Exception]:
    outcomes: list[Check | Exception]
    try:
        if away:
            raise away[0]
        outcomes = screen(fresh) if fresh else []
    except Exception as error:  # noqa: BLE001 - the groups before are stored, and their answers due
        outcomes = [error] * len(fresh)
    away += [outcome for outcome in outcomes if isinstance(outcome, OperationalError)]
    return outcomes


def _answered(outcomes: list[Check | Exception]) -> list[CheckAnswer | ProblemAnswer]:
    answered = iter(answers([item for item in outcomes if isinstance(item, Check)]))
    return [next(answered) if isinstance(item, Check) else _problem(item) for item in outcomes]


def _problem(error: Exception) -> ProblemAnswer:
    return ProblemAnswer(**problem_of(error, "POST", "/v1/checks/batch").as_dict())


def _prepare(
    application: Application, data: dict[str, Any], key: str | None, prefer: str | None, away: list[OperationalError]
) -> Intake | Check | Exception:
    try:
        if away:
            raise away[0]
        item = intake(application, CheckRequest.model_validate(data), key)
        return stored(item) or (accept(item) if to_wait(item.request, prefer) else item)
    except ValidationError as error:
        return malformed(error.errors(include_input=False, include_url=False))  # type: ignore[arg-type]
    except Exception as error:  # noqa: BLE001 - as above
        away += [error] if isinstance(error, OperationalError) else []
        return error


def _key_in_batch(key: str | None, index: int) -> str | None:
    # Hashed, so that it fits the column and is nobody's key for a single check.
    return key and f"batch:{hashlib.sha256(key.encode()).hexdigest()}:{index}"
