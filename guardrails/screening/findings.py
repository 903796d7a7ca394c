"""The words of the engine: texts, hits, findings, rule results, predictions."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import Literal

Action = Literal["observe", "flag", "redact", "mask", "hash", "hold", "block"]
Verdict = Literal["allow", "redact", "hold", "block"]
OnError = Literal["open", "hold", "block"]
#: Where a rule runs: exact rules, models in this process, models behind an HTTP endpoint.
Queue = Literal["cpu", "gpu", "llm"]

OUTPUT = "output"
#: Why a rule or a text is unscanned when its time was over.
DEADLINE = "deadline"


@dataclass(frozen=True, slots=True)
class Text:
    """One text to scan. `target` is "output", or "messages.N" for the N-th chat message (from 0).

    `partial`: the message has more than this text (an image, say) that no detector reads.
    """

    target: str
    text: str
    partial: bool = False

    @property
    def is_output(self) -> bool:
        return self.target == OUTPUT


@dataclass(frozen=True, slots=True)
class Hit:
    """What a detector saw, before the policy says what follows.

    `category` is a model category, an entity type, a secret type, or the name that the rule's options gave.
    `score` is a probability in [0, 1]. `start`/`end` are code-point offsets, None for the text as a whole.
    `detail` tells where or why (a JSON path, a limit) and never quotes the text.
    """

    category: str
    score: float
    start: int | None = None
    end: int | None = None
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Finding:
    """A hit that a rule of the policy asked for, with the action that follows from it."""

    rule: str
    detector: str
    category: str
    score: float
    threshold: float | None
    action: Action
    target: str
    start: int | None
    end: int | None
    model: str
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Span:
    """A PII span in code points, whatever the policy says of it."""

    start: int
    end: int
    label: str
    score: float


@dataclass(frozen=True, slots=True)
class Prediction:
    """What the guard model says of one text: a calibrated probability for every category, and PII spans.

    `spans`: in order; None when the model has no head for them.
    `unscanned`: why the text was not, or not wholly, read ("deadline", or the class of an error); its scores then say
    nothing. `queue_ms` and `inference_ms`: how long the text waited for the model and how long the model read it,
    where the model knows. `embedding`: a vector of length 1 that lies near those of texts of like meaning; empty when
    the model makes none.
    """

    scores: dict[str, float]
    spans: tuple[Span, ...] | None = None
    unscanned: str = ""
    queue_ms: float = 0.0
    inference_ms: float = 0.0
    embedding: tuple[float, ...] = ()


@dataclass(frozen=True, slots=True)
class RuleResult:
    """The outcome of one rule on one check. `unscanned` is the reason why it did not finish, "" when it did."""

    rule: str
    findings: tuple[Finding, ...] = ()
    unscanned: str = ""


@dataclass(frozen=True, slots=True)
class JobResult:
    """The outcome of the rules of one queue on one check.

    `scores`: the model's scores of the output, when a model-based rule ran or the job asked to observe.
    `spans`: every PII span of the output that this queue finds, when the job asked to observe; None when it did not
    look.
    """

    rules: tuple[RuleResult, ...]
    scores: dict[str, float] | None = None
    spans: tuple[Span, ...] | None = None
    model: str = ""
    queue_ms: float = 0.0
    inference_ms: float = 0.0


class DeadlineExceeded(Exception):
    """The time for a rule is over; the rule is unscanned."""


@dataclass(frozen=True, slots=True)
class Deadline:
    """A point in wall-clock time (Unix seconds), so that it holds across hosts with synchronised clocks."""

    at: float = field(default=float("inf"))

    @classmethod
    def after_ms(cls, milliseconds: float) -> Deadline:
        return cls(time.time() + milliseconds / 1000)

    def remaining(self) -> float:
        """Return the seconds left; negative when it has passed."""
        return self.at - time.time()

    def check(self) -> None:
        """Raise DeadlineExceeded when the time is over. Detectors call it between pieces of a long text."""
        if self.remaining() <= 0:
            raise DeadlineExceeded
