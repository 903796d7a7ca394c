"""What every JSON door of the API shares: reading bodies, refusing, resolving policies, screening."""

from __future__ import annotations

import logging
from typing import Any

from django.http import HttpRequest, HttpResponse
from ninja import NinjaAPI
from ninja.errors import AuthenticationError, HttpError
from ninja.errors import ValidationError as NinjaValidationError
from ninja.parser import Parser
from pydantic import BaseModel, ValidationError

from policies.selectors import NoSuchPolicy, active_version, policy_names
from screening.sentences import say
from webapp.accounts.models import Application
from webapp.interception.auth import ApiKeyAuth, no_key, spend
from webapp.interception.bodies import parse_json
from webapp.interception.comparing import compared_check
from webapp.interception.models import Check
from webapp.interception.problems import Problem, render_problem
from webapp.interception.rows import Intake
from webapp.interception.schemas import CheckAnswer, CheckRequest
from webapp.interception.selectors import answers
from webapp.interception.services import TooManyPending, accept_check, run_checks
from webapp.interception.storing import IdempotencyConflict, stored_answer
from workers.client import Overloaded
from workers.seldom import Seldom

log = logging.getLogger(__name__)

_refused = Seldom()

MAX_KEY_LENGTH = 255


class BodyParser(Parser):
    def parse_body(self, request: HttpRequest) -> Any:
        return parse_json(request.body)


def make_api(*, namespace: str, title: str, description: str) -> NinjaAPI:
    """Return an API that authenticates by API key and answers every caller's mistake with a Problem."""
    api = NinjaAPI(
        title=title,
        version="1",
        description=description,
        auth=ApiKeyAuth(),
        parser=BodyParser(),
        openapi_url="/openapi.json",
        docs_url=None,
        urls_namespace=namespace,
    )
    handlers: dict[type[Exception], Any] = {
        Problem: render_problem,
        AuthenticationError: _on_missing_key,
        NinjaValidationError: _on_invalid,
        HttpError: _on_http_error,
    }
    for kind, handler in handlers.items():
        api.add_exception_handler(kind, handler)
    return api


def intake(application: Application, request: CheckRequest, key: str | None, door: str = "checks") -> Intake:
    """Return what may be screened. Raises Problem 422 when what it names is not there, 400 when there is no text."""
    project = application.project
    try:
        version = active_version(project, request.policy)
    except NoSuchPolicy:
        known = ", ".join(policy_names(project)) or say("none yet")
        if request.policy or project.default_policy:
            missing = say("The project has no active policy of that name.")
            hint = say("Policies of this project: %(names)s.", names=known)
        else:
            missing = say("The check names no policy, and the project has no default one.")
            hint = say("Name one, or have an owner choose one on the page Settings. There are: %(names)s.", names=known)
        raise Problem(422, missing, hint) from None
    other = compared_check(application, request)
    item = Intake(application, version, request, idempotency_key=key, door=door, compared_with=other)
    if not item.texts:
        raise Problem(
            400,
            say("There is nothing to screen: no output, and no message with content but the application's own."),
            say("Put the model's answer into `output`, or what the user wrote into `messages`."),
        )
    return item


def read_request(body: bytes) -> CheckRequest:
    """Return the request in a body. Raises Problem 400."""
    try:
        return CheckRequest.model_validate(parse_json(body))
    except ValidationError as error:
        raise malformed(error.errors(include_input=False, include_url=False)) from None  # type: ignore[arg-type]


def answer_check(application: Application, wanted: CheckRequest, key: str | None, prefer: str | None) -> HttpResponse:
    """Screen an output, or accept it for later, and return the answer. Raises Problem."""
    item = intake(application, wanted, checked_key(key))
    check = stored(item)
    if check is None:
        spend(application.project)
        check = accept(item) if to_wait(wanted, prefer) else screen_one(item)
    return respond_check(answers([check])[0])


def to_wait(wanted: CheckRequest, prefer: str | None) -> bool:
    """Return whether the caller would rather have its answer at once and the verdict later."""
    preferences = (one.partition(";")[0].strip().lower() for one in (prefer or "").split(","))
    return not wanted.wait or "respond-async" in preferences


def respond_check(answer: CheckAnswer) -> HttpResponse:
    return respond(answer, 202 if answer.state == "pending" else 200)


def respond(answer: BaseModel, status: int = 200) -> HttpResponse:
    # Already of its declared type: the framework would validate it once more, for a millisecond.
    return HttpResponse(answer.model_dump_json(), status=status, content_type="application/json")


def checked_key(key: str | None) -> str | None:
    """Return an Idempotency-Key as it came. Raises Problem 400."""
    if key is not None and not 0 < len(key) <= MAX_KEY_LENGTH:
        raise Problem(400, "The Idempotency-Key is empty or too long.", f"Use 1 to {MAX_KEY_LENGTH} characters.")
    return key


def stored(item: Intake) -> Check | None:
    """Return the check that this request made before, if it is a retry. Raises Problem 409."""
    try:
        return stored_answer(item)
    except IdempotencyConflict:
        raise conflict() from None


def accept(item: Intake) -> Check:
    """Store a check that is screened afterwards. Raises Problem 409 or 503."""
    try:
        return accept_check(item)
    except IdempotencyConflict:
        raise conflict() from None
    except TooManyPending as error:
        raise Problem(
            503,
            "Too many asynchronous checks of this project wait for their verdicts; this one was not accepted.",
            "Try again after Retry-After seconds; an operator can add workers.",
            retry_after=error.retry_after,
        ) from None


def screen(intakes: list[Intake]) -> list[Check | Exception]:
    """Screen and store; a Problem 409 or 503, or what else a check failed by, in its place. Raises as `run_checks`."""
    return [_check_or_error(outcome) for outcome in run_checks(intakes)]


def screen_one(item: Intake) -> Check:
    """Screen and store one check. Raises Problem 409 or 503, or what else it failed by."""
    (outcome,) = screen([item])
    if isinstance(outcome, Exception):
        raise outcome
    return outcome


def _check_or_error(outcome: Check | Exception) -> Check | Exception:
    if isinstance(outcome, Overloaded):
        return overloaded(outcome)
    return conflict() if isinstance(outcome, IdempotencyConflict) else outcome


def overloaded(error: Overloaded) -> Problem:
    """Return what to answer; the log is told how many there were, once a minute."""
    if count := _refused.due():
        log.warning("refused %d checks: more wait than workers read before the deadline; add workers", count)
    return Problem(
        503,
        "More waits than can be screened before the deadline; nothing was accepted.",
        "Try again after Retry-After seconds; an operator can add workers.",
        retry_after=error.retry_after,
    )


def conflict() -> Problem:
    return Problem(409, "This Idempotency-Key was used for another request.", "Use a new key for each new request.")


def malformed(faults: list[dict[str, Any]], skip: int = 0) -> Problem:
    """Return Problem 400 for pydantic's faults, naming fields and never quoting values."""
    errors = [
        {
            "path": ".".join(str(part) for part in fault["loc"][skip:]),
            "message": fault["msg"].removeprefix("Value error, "),
        }
        for fault in faults[:20]
    ]
    return Problem(400, "The request does not have the right form.", "See `errors`, and /v1/docs.", errors=errors)


def _on_missing_key(request: HttpRequest, error: AuthenticationError) -> HttpResponse:
    return render_problem(request, no_key())


def _on_invalid(request: HttpRequest, error: NinjaValidationError) -> HttpResponse:
    # The first two parts are ninja's own: "body" and the name of the view's argument.
    return render_problem(request, malformed(list(error.errors), skip=2))


def _on_http_error(request: HttpRequest, error: HttpError) -> HttpResponse:
    cause = error.__cause__
    if isinstance(cause, Problem):
        return render_problem(request, cause)
    return render_problem(request, Problem(400, "The body can not be read.", "Send one JSON object in UTF-8."))
