"""Screen lines of a file: the same engine, here or by the workers, with nothing stored."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from difflib import get_close_matches
from typing import Any

from screening.engine import Engine, Job, nothing_to_read
from screening.findings import Queue, RuleResult
from screening.policy import Policy
from screening.verdict import conclude
from webapp.interception.bodies import parse_json
from webapp.interception.problems import Problem
from webapp.interception.texts import texts_of
from workers.client import ScreenClient, Screening

CHUNK = 32
#: For one chunk; long enough for texts of a megabyte on a slow processor.
DEADLINE_SECONDS = 600.0

_SCREENED = ("output", "messages", "context")
Screen = Callable[[Sequence[Job]], list[Screening]]


class BadLine(Exception):
    """A line of the input is not what is asked for; the message names its number and never quotes it."""


@dataclass(frozen=True, slots=True)
class Line:
    number: int
    id: Any
    output: str | None
    messages: list[dict[str, Any]]
    context: list[str]


def read_lines(raw: Iterable[bytes]) -> Iterator[Line]:
    """Yield the lines of a JSONL file: {"id", "output", "messages"?, "context"?}. Raises BadLine."""
    for number, line in enumerate(raw, start=1):
        if line.strip():
            yield _line(number, line)


def _line(number: int, raw: bytes) -> Line:
    try:
        data = parse_json(raw)
    except Problem as problem:
        raise BadLine(f"line {number}: {problem.detail} {problem.hint}") from None
    if not isinstance(data, dict):
        raise BadLine(f'line {number}: not an object. Write {{"id": ..., "output": ...}}.')
    for field in data.keys() - set(_SCREENED):
        # Other fields are the sender's own; what was meant for one of ours would not be screened.
        for meant in get_close_matches(field.lower(), _SCREENED, n=1, cutoff=0.9):
            raise BadLine(f'line {number}: a field is called almost as "{meant}". Mend its name, or give it another.')
    output, messages = data.get("output"), data.get("messages") or []
    if output is not None and not isinstance(output, str):
        raise BadLine(f'line {number}: "output" is not a string.')
    good = isinstance(messages, list) and all(isinstance(item, dict) and "role" in item for item in messages)
    if not good:
        raise BadLine(f'line {number}: "messages" is not a list of chat messages with a role and a content.')
    context = data.get("context") or []
    if not isinstance(context, list) or not all(isinstance(document, str) for document in context):
        raise BadLine(f'line {number}: "context" is not a list of texts.')
    if not texts_of(output, messages):
        raise BadLine(f'line {number}: neither "output" nor "messages" with something to screen.')
    return Line(number=number, id=data.get("id", number), output=output, messages=messages, context=context)


def screen_lines(lines: Sequence[Line], policy: Policy, screen: Screen, key: bytes) -> list[dict[str, Any]]:
    """Return what the file gets for each line: verdict, findings, the model's scores, every PII span, the output."""
    now = time.time()
    jobs = [
        Job(
            policy.canonical,
            texts_of(line.output, line.messages),
            now,
            now + DEADLINE_SECONDS,
            observe=True,
            context=tuple(line.context),
        )
        for line in lines
    ]
    asked = zip(lines, jobs, screen(jobs), strict=True)
    return [_answer(line, job, policy, screening, key) for line, job, screening in asked]


def direct(engine: Engine) -> Screen:
    """Return a way to screen in this process, without broker or workers."""

    def screen(jobs: Sequence[Job]) -> list[Screening]:
        by_queue = {queue: engine.run(jobs, queue) for queue in _QUEUES}
        return [Screening({queue: by_queue[queue][index] for queue in _QUEUES}) for index in range(len(jobs))]

    return screen


def by_workers(redis_url: str) -> Screen:
    return ScreenClient(redis_url).screen


_QUEUES: tuple[Queue, ...] = ("cpu", "gpu", "llm")


def _answer(line: Line, job: Job, policy: Policy, screening: Screening, key: bytes) -> dict[str, Any]:
    results, missing = screening.results, screening.missing
    rules = [rule for result in results.values() for rule in result.rules] + nothing_to_read(job)
    rules += [
        RuleResult(rule=rule.id, unscanned=missing[queue])
        for rule in policy.rules
        for queue in rule.queues
        if queue in missing and job.is_read_by(rule)
    ]
    conclusion = conclude(policy, line.output, rules, key)
    gpu, cpu = results.get("gpu"), results.get("cpu")
    spans = cpu.spans if cpu else None
    if spans is not None and gpu and gpu.spans:
        spans = tuple(sorted(spans + gpu.spans, key=lambda span: (span.start, span.end)))
    return {
        "id": line.id,
        "verdict": conclusion.verdict,
        "flagged": conclusion.flagged,
        "findings": [asdict(finding) for finding in conclusion.findings],
        "unscanned": [{"rule": rule, "reason": reason} for rule, reason in conclusion.unscanned],
        "scores": gpu.scores if gpu else None,
        "spans": None if spans is None else [asdict(span) for span in spans],
        "output": conclusion.output,
    }


def to_json(answer: dict[str, Any]) -> bytes:
    return json.dumps(answer, ensure_ascii=False).encode() + b"\n"
