"""The contracts of detectors and of the guard model.

A detector is one file: an options model, a class, one line in `registry.py`. Importing a detector must be cheap and
free of side effects, because web processes import all of them to validate policies: heavy libraries are imported in
`__init__`, which only workers call.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Literal, Protocol

from pydantic import BaseModel, ConfigDict

from screening.findings import Deadline, Hit, Prediction, Queue
from screening.sentences import Sentence


@dataclass(frozen=True, slots=True)
class Fault:
    """Something a rule asks for that this installation does not have. `path` counts from the rule."""

    path: tuple[str | int, ...]
    message: Sentence
    hint: Sentence


class Options(BaseModel):
    """The `options` of a rule. Subclass it for each detector; unknown fields are errors."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    def labels(self) -> frozenset[str]:
        """Return the categories that these options define by themselves (names of lists, of patterns)."""
        return frozenset()

    def unavailable(self, categories: set[str], entities: set[str]) -> Iterable[Fault]:
        """Return what is asked for and is not there, when a policy is written; the names are those the rule maps."""
        return ()


class Detector(ABC):
    """One instance per rule and worker process, kept for as long as the policy version is in use."""

    name: ClassVar[str]
    queue: ClassVar[Queue] = "cpu"
    #: Which field of a rule maps what this detector sees to actions.
    maps: ClassVar[Literal["categories", "entities", "either"]] = "entities"
    #: Categories a rule may name beside those that its options define; None when any name may occur.
    labels: ClassVar[frozenset[str] | None] = frozenset()
    #: The version recorded with findings; a detector that runs a model gives the model's.
    version: ClassVar[str] = "1"
    #: Whether it needs the check's grounding documents.
    reads_context: ClassVar[bool] = False
    options_type: ClassVar[type[Options]] = Options

    @classmethod
    def queue_of(cls, options: Mapping[str, Any]) -> Queue:
        """Return where a rule with these (unparsed) options runs."""
        return cls.queue

    @classmethod
    def model_part(cls, names: Collection[str]) -> type[ModelDetector] | None:
        """Return what reads the guard model for a rule that maps these names, beside `detect`; for most there is none.

        Such a rule runs on two queues, and is unscanned when either part is.
        """
        return None

    @abstractmethod
    def detect(self, text: str, deadline: Deadline) -> list[Hit]:
        """Return the hits in `text`, in order of position.

        Raise DeadlineExceeded when `deadline` passes between two pieces of work; any other exception makes the rule
        unscanned, and its class name (never its message, which may quote the text) is the recorded reason.
        """


class ModelDetector(Detector):
    """A detector that reads the one model pass instead of scanning by itself."""

    queue = "gpu"
    maps: ClassVar[Literal["categories", "entities", "either"]] = "categories"

    def detect(self, text: str, deadline: Deadline) -> list[Hit]:
        raise TypeError("a model-based detector reads predictions: call read()")

    @abstractmethod
    def read(self, text: str, prediction: Prediction) -> list[Hit]:
        """Return a hit for each category this detector answers for, with its score."""

    def confirms(self, category: str, text: str) -> bool:
        """Return whether a hit of `category` stands; asked only of hits that the rule asks for, since it takes time."""
        return True


class GuardModel(Protocol):
    """What workers serve: one pass over texts of any length gives a prediction for each, in order."""

    @property
    def version(self) -> str:
        """Name and revision, as recorded with every finding."""

    @property
    def categories(self) -> tuple[str, ...]: ...

    def predict(self, texts: Sequence[str], *, deadlines: Sequence[Deadline] = ()) -> list[Prediction]:
        """Return one prediction a text, in order; the same for a text alone or in any batch, within tolerance.

        `deadlines`: one a text; none given means never. A text that was not reached by its deadline, or that the model
        failed on, has a prediction that is `unscanned`; the others keep theirs. An exception means that nothing could
        be read at all.
        """
