"""The contract of detectors whose rules are answered by a model that the installation's models file names.

Such a detector does not hold the model: a worker does, on threads of its own, and gives it as `Models`. Asking and
answering are two steps, so that all rules wait for their models at the same time and none waits for another's.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any, Protocol

from screening.detectors.base import Detector
from screening.findings import Deadline, Hit, Prediction, Text

#: What a rule maps, or a model is asked for, when it is everything.
ANY = "*"


@dataclass(frozen=True, slots=True)
class Ask:
    """What one rule wants to know of one check.

    `texts`: those that the rule scans. `check`: all texts of the check, the conversation around them. `context`: its
    grounding documents. `names`: what the rule maps, ANY for everything.
    """

    texts: tuple[Text, ...]
    check: tuple[Text, ...]
    context: tuple[str, ...]
    names: frozenset[str]
    deadline: Deadline


@dataclass(frozen=True, slots=True)
class Judged:
    """The answer: hits by target ("output", "messages.N"), and name and revision of the model that gave them."""

    hits: dict[str, list[Hit]]
    version: str


#: Waits, until the deadline of what was asked, and returns the answer; raises TimeoutError, DeadlineExceeded, Unread or
#: what went wrong, and then the rule is unscanned.
Answer = Callable[[], Judged]


#: The reason to record where the model, as it is configured now, does not judge what the rule asks for.
NOT_JUDGED = "not judged"


class Unread(Exception):
    """A model did not read a text; the reason to record is the message."""


def unread(reason: str) -> Answer:
    """Return the answer of a rule that nobody was asked for."""

    def answer() -> Judged:
        raise Unread(reason)

    return answer


@dataclass(frozen=True, slots=True)
class Classified:
    """Predictions for texts, in order, and name and revision of the classifier."""

    predictions: tuple[Prediction, ...]
    version: str


@dataclass(frozen=True, slots=True)
class Token:
    """A token that a model wrote, and the log probabilities of the likeliest there, itself among them."""

    text: str
    candidates: dict[str, float]


@dataclass(frozen=True, slots=True)
class Reply:
    """What a chat model wrote. `tokens`: one by one, where the server tells. `cut`: a limit stopped it."""

    text: str
    tokens: tuple[Token, ...] = ()
    cut: bool = False


class Models(Protocol):
    """The models of this process, by their names in the models file. A name that is not there fails the future."""

    def classify(self, name: str, texts: Sequence[str], deadlines: Sequence[Deadline]) -> Future[Classified]:
        """Return predictions as GuardModel.predict gives them."""

    def chat(self, name: str, body: Mapping[str, Any], deadline: Deadline) -> Future[Reply]:
        """Send one chat completion; `body` lacks the model's name and limits."""

    def compare(self, left: Sequence[str], right: Sequence[str], deadline: Deadline) -> Future[list[list[float]]]:
        """Return how near in meaning each sentence of `left` is to each of `right`, as cosines."""


class ModelMissing(LookupError):
    """The models file of this process has no model of that name, or this process serves none."""


class NoModels:
    """A `Models` that has none."""

    def classify(self, name: str, texts: Sequence[str], deadlines: Sequence[Deadline]) -> Future[Classified]:
        raise ModelMissing(name)

    def chat(self, name: str, body: Mapping[str, Any], deadline: Deadline) -> Future[Reply]:
        raise ModelMissing(name)

    def compare(self, left: Sequence[str], right: Sequence[str], deadline: Deadline) -> Future[list[list[float]]]:
        raise ModelMissing


class ServedDetector(Detector):
    """A detector that asks `Models`."""

    def detect(self, text: str, deadline: Deadline) -> list[Hit]:
        raise TypeError("a served detector asks models: call ask()")

    @abstractmethod
    def ask(self, asks: Sequence[Ask], models: Models) -> list[Answer]:
        """Ask without waiting; return a way to each answer, in order."""
