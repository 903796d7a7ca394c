"""Checks on their way through this process, many at a time: each stage does together whatever waits for it.

admission: key, body, policy, limit, message to the workers. conclusion: verdict, rows, answer. So a statement, a commit
or a message is shared by those that come together, and threads change places once a round and not once a request. The
two take turns, so that rounds are fuller (docs/adr/0028-turns.md).
"""

from __future__ import annotations

import asyncio
import datetime as dt
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial

from django.db import OperationalError, close_old_connections, connection
from django.http import HttpResponse
from django.utils import timezone

from screening.engine import Job, wait_until
from webapp.accounts.models import Application
from webapp.interception.auth import callers, no_key, over_limit, unknown_key, within_limit
from webapp.interception.doors import (
    accept,
    checked_key,
    conflict,
    intake,
    overloaded,
    read_request,
    respond_check,
    to_wait,
)
from webapp.interception.models import Check
from webapp.interception.problems import problem_of
from webapp.interception.rounds import Rounds, Turns
from webapp.interception.rows import Intake
from webapp.interception.screening import client, conclude_job, make_job
from webapp.interception.selectors import answers
from webapp.interception.stages import Stages
from webapp.interception.storing import Concluded, IdempotencyConflict, store_each, stored_answers
from workers.client import Call, Overloaded, Screening

PATH = "/v1/checks"
#: Requests of one round.
MAX_ROUND = 64
#: Who waits for a round for less meets no backlog: a deadline that passed meanwhile is one that no round can keep.
BACKLOG_SECONDS = 0.1
#: A connection that was idle for longer is tried before it is used.
IDLE_SECONDS = 1.0


@dataclass(slots=True, eq=False)
class Asked:
    """A request as it came, and what became of it so far; `answer` belongs to an event loop."""

    token: str | None
    body: bytes
    idempotency_key: str | None
    prefer: str | None
    answer: asyncio.Future[HttpResponse] | None
    stages: Stages = field(default_factory=Stages)
    created: dt.datetime = field(default_factory=timezone.now)
    intake: Intake | None = None
    later: bool = False
    job: Job | None = None
    call: Call | None = None
    screening: Screening | None = None
    verdict: Concluded | None = None
    answered: bool = False
    concluded: bool = False

    def forget(self) -> None:
        """Let go of the texts, in the answer too: until it would have been due, it is waited for."""
        self.answer = None
        self.body, self.intake, self.job, self.screening, self.verdict = b"", None, None, None, None


def submit(asked: Asked) -> None:
    """Have a request answered: `asked.answer` gets a response, whatever happens."""
    _admission.put([asked])


class _Answers:
    """The answers of one round."""

    def __init__(self) -> None:
        self._given: list[tuple[asyncio.Future[HttpResponse], HttpResponse]] = []

    def give(self, one: Asked, response: HttpResponse) -> None:
        response["Server-Timing"] = one.stages.header()
        answer, one.answered = one.answer, True
        if answer is not None:  # the other thread may have been first, where a round failed that had been sent
            self._given.append((answer, response))

    def refuse(self, one: Asked, error: Exception) -> None:
        self.give(one, problem_of(error, "POST", PATH).response())

    def each(self, asked: Sequence[Asked], step: Callable[[Asked], None], stage: str) -> list[Asked]:
        """Take a step with each, and return those that it did not refuse.

        When the database fails one, the rest is refused as well: each would wait for it as long.
        """
        away: OperationalError | None = None
        for one in asked:
            try:
                if away is not None:
                    raise away
                step(one)
            except Exception as error:  # noqa: BLE001 - as Django's handler: whatever it is, the caller gets an answer
                away = error if isinstance(error, OperationalError) else away
                self.refuse(one, error)
            one.stages.mark(stage)
        return [one for one in asked if not one.answered]

    def deliver(self) -> None:
        for loop in {answer.get_loop() for answer, _ in self._given}:
            own = [(answer, response) for answer, response in self._given if answer.get_loop() is loop]
            with suppress(RuntimeError):  # the loop is closed: nobody waits
                loop.call_soon_threadsafe(_set, own)


def _set(given: Sequence[tuple[asyncio.Future[HttpResponse], HttpResponse]]) -> None:
    for answer, response in given:
        if not answer.done():  # the caller may have gone
            answer.set_result(response)


def _round(work: Callable[[list[Asked], _Answers], None]) -> Callable[[list[Asked]], None]:
    """Return `work` with the care that each round takes: of the database's connection, and that all get an answer."""
    last = 0.0

    def run(asked: list[Asked]) -> None:
        nonlocal last
        given = _Answers()
        try:
            if connection.errors_occurred or time.monotonic() - last > IDLE_SECONDS:
                # Django does it before each request, with a query for each; what answered a moment ago is fine.
                close_old_connections()
            work(asked, given)
        except Exception as error:  # noqa: BLE001 - as above
            for one in asked:
                if not one.answered:
                    given.refuse(one, error)
        finally:
            if connection.close_at is not None and time.monotonic() >= connection.close_at:
                connection.close()
            last = time.monotonic()
            given.deliver()
            for one in asked:
                if one.answered:
                    one.forget()

    return run


def _admit(asked: list[Asked], given: _Answers) -> None:
    began = time.time()
    known = callers([one.token for one in asked if one.token])
    for one in asked:
        one.stages.mark("auth")
    asked = given.each(asked, partial(_read, known), "read")
    asked = _without_retries(asked, given)
    asked = _within_limits(asked, given)
    for one in asked:
        one.stages.mark("intake")
    # First those whose callers wait for a verdict: accepting takes the database some statements a check.
    _send([one for one in asked if not one.later], began, given)
    given.each([one for one in asked if one.later], partial(_accept, given), "store")


def _read(known: Mapping[str, Application], one: Asked) -> None:
    if one.token is None:
        raise no_key()
    application = known.get(one.token)
    if application is None:
        raise unknown_key()
    wanted = read_request(one.body)
    one.intake = intake(application, wanted, checked_key(one.idempotency_key))
    one.later = to_wait(wanted, one.prefer)


def _intake(one: Asked) -> Intake:
    assert one.intake is not None  # noqa: S101 - _read refuses or sets it
    return one.intake


def _without_retries(asked: list[Asked], given: _Answers) -> list[Asked]:
    """Answer retries with what was stored before, and return the others."""
    found = stored_answers([_intake(one) for one in asked])
    _answer([(one, outcome) for one, outcome in zip(asked, found, strict=True) if outcome is not None], given)
    return [one for one in asked if not one.answered]


def _within_limits(asked: list[Asked], given: _Answers) -> list[Asked]:
    projects = {project.id: project for project in (_intake(one).application.project for one in asked)}
    for project in projects.values():
        own = [one for one in asked if _intake(one).application.project_id == project.id]
        for one in own[within_limit(project, len(own)) :]:
            given.refuse(one, over_limit(project))
    return [one for one in asked if not one.answered]


def _accept(given: _Answers, one: Asked) -> None:
    given.give(one, respond_check(answers([accept(_intake(one))])[0]))


def _send(asked: list[Asked], began: float, given: _Answers) -> None:
    asked = given.each(asked, partial(_prepare, began), "intake")
    calls = client().start_each([([one.job], partial(_came, one)) for one in asked if one.job])
    due: list[tuple[float, Asked]] = []
    for one, call in zip(asked, calls, strict=True):
        if isinstance(call, Overloaded):
            given.refuse(one, overloaded(call))
        else:
            one.call = call
            due.append((time.monotonic() + call.due - time.time(), one))
    _conclusion.put_later(due)


def _prepare(began: float, one: Asked) -> None:
    """Make the job of a check. Raises Problem 503 when all its rules were due before its round began (Unix seconds)."""
    item, created = _intake(one), one.created.timestamp()
    job = make_job(item.version, item.texts, item.deadline_ms, context=item.request.context, started=created)
    if max([created + BACKLOG_SECONDS, *wait_until(job).values()]) < began:
        raise overloaded(Overloaded())
    one.job = job


def _came(one: Asked, call: Call) -> None:
    one.call = call
    _conclusion.put([one])


def _conclude(asked: list[Asked], given: _Answers) -> None:
    # Twice there: when its results came, and when it was due.
    asked = [one for one in dict.fromkeys(asked) if not one.concluded]
    for one in asked:
        one.concluded = True
    screenings = client().finish_each([one.call for one in asked if one.call])
    for one, (screening,) in zip(asked, screenings, strict=True):
        one.screening = screening
    # Those that are answered were refused with their round, after they had been sent.
    asked = given.each([one for one in asked if not one.answered], _judge, "screen")
    outcomes = store_each([one.verdict for one in asked if one.verdict])
    for one in asked:
        one.stages.mark("store")
    _answer([*zip(asked, outcomes, strict=True)], given)


def _judge(one: Asked) -> None:
    assert one.job is not None  # noqa: S101 - set before it was sent
    assert one.screening is not None  # noqa: S101 - and when it came
    item = _intake(one)
    one.verdict = Concluded(item, conclude_job(one.job, item.application.project_id, one.screening), one.created)


def _answer(outcomes: Sequence[tuple[Asked, Check | Exception]], given: _Answers) -> None:
    for one, outcome in outcomes:
        if isinstance(outcome, Exception):
            given.refuse(one, conflict() if isinstance(outcome, IdempotencyConflict) else outcome)
    stored = [(one, outcome) for one, outcome in outcomes if isinstance(outcome, Check)]
    for (one, _), answer in zip(stored, answers([check for _, check in stored]), strict=True):
        one.stages.mark("answer")
        given.give(one, respond_check(answer))


_turns = Turns()
_admission = Rounds("admission", _round(_admit), MAX_ROUND, _turns)
_conclusion = Rounds("conclusion", _round(_conclude), MAX_ROUND, _turns)
